#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace padim {

/// Layout of 8-bit pixels in memory. In rgbx and bgrx the fourth byte is padding or alpha: it is ignored
/// when read and left alone when drawn on.
enum class PixelFormat {
  gray8,
  rgb,
  bgr,
  rgbx,
  bgrx,
  nv12,  ///< plane 0: Y [h,w]; plane 1: interleaved U,V [ceil(h/2), ceil(w/2), 2]
  i420,  ///< planes 0, 1, 2: Y [h,w], U and V [ceil(h/2), ceil(w/2)]
  yuy2,  ///< one plane, Y0 U Y1 V for two pixels; a row holds ceil(w/2) such groups
  uyvy,  ///< one plane, U Y0 V Y1 for two pixels
};

/// How Y'CbCr relates to R'G'B'.
enum class YuvMatrix { bt601, bt709, bt2020 };

/// limited: Y 16..235, chroma 16..240. full: 0..255 (JPEG).
enum class YuvRange { limited, full };

/// An image that somebody else owns: pointer, stride and format per plane. Strides are in bytes, may exceed
/// the row's length (padding is never read or written) and may be negative (bottom-up images).
template <class Byte>
struct BasicImageView {
  PixelFormat format = PixelFormat::rgb;
  int width = 0;   ///< pixels, > 0
  int height = 0;  ///< pixels, > 0
  std::array<Byte*, 3> data{};
  std::array<std::ptrdiff_t, 3> stride{};
  YuvMatrix matrix = YuvMatrix::bt601;  ///< used by the Y'CbCr formats only
  YuvRange range = YuvRange::limited;   ///< used by the Y'CbCr formats only

  template <class Other>
  [[nodiscard]] operator BasicImageView<Other>() const {  // NOLINT: mutable to const, as for pointers
    return {format, width, height, {data[0], data[1], data[2]}, stride, matrix, range};
  }
};

using ImageView = BasicImageView<const std::uint8_t>;
using MutableImageView = BasicImageView<std::uint8_t>;

/// Number of planes of `format`: 1, 2 (nv12) or 3 (i420).
[[nodiscard]] constexpr int plane_count(PixelFormat format) {
  return format == PixelFormat::i420 ? 3 : format == PixelFormat::nv12 ? 2 : 1;
}

/// True for the formats whose pixels are Y'CbCr (gray8 is taken as R' = G' = B').
[[nodiscard]] constexpr bool is_yuv(PixelFormat format) { return format >= PixelFormat::nv12; }

}  // namespace padim
