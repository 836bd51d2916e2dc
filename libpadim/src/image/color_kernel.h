#pragma once

#include <cstdint>

#include "padim/image_view.h"

namespace padim {

inline constexpr int kColorBits = 21;  ///< fractional bits of colour coefficients

/// Y'CbCr to R'G'B' in fixed point: r = y * y_scale + v * r_v + r_offset, and so on; offsets include the rounding.
struct YuvCoefficients {
  std::int32_t y_scale, r_v, g_u, g_v, b_u;
  std::int32_t r_offset, g_offset, b_offset;
};

[[nodiscard]] YuvCoefficients yuv_coefficients(YuvMatrix matrix, YuvRange range) noexcept;

/// One component of a picture: its value at pixel i is data[i * step]. step: 1, 2 or 4.
struct ColorChannel {
  const std::uint8_t* data;
  int step;
};

/// Three components of `pixels` pixels to interleaved 8-bit RGB, rounded and clipped. SIMD, chosen at run time: reads
/// whole groups of `step` bytes from data on, except for the last pixel.
void yuv_to_rgb(ColorChannel y, ColorChannel u, ColorChannel v, const YuvCoefficients& k, int pixels,
                std::uint8_t* rgb) noexcept;

/// The same, one pixel at a time: what the SIMD version is tested against.
void yuv_to_rgb_scalar(ColorChannel y, ColorChannel u, ColorChannel v, const YuvCoefficients& k, int pixels,
                       std::uint8_t* rgb) noexcept;

}  // namespace padim
