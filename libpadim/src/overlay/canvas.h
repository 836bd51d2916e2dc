#pragma once

#include <array>
#include <cstdint>

#include "padim/image_view.h"

namespace padim {

/// A colour to lay over a pixel: R', G', B' in 0..255, weight 0 (nothing) to 1 (opaque).
struct Paint {
  double r = 0;
  double g = 0;
  double b = 0;
  double weight = 0;
};

/// What one value of ink does to a pixel p, per channel c of the frame's own colour space:
/// p' = (p * (256 - weight) + value[c] + 128) / 256. Invariant: value[c] <= 255 * weight, so p' fits 8 bits; weight 0
/// leaves p as it is, bit for bit.
struct PaletteEntry {
  std::uint16_t weight = 0;
  std::array<std::uint16_t, 3> value{};  ///< R, G, B, or Y, U, V, or Y alone; times weight
};

/// One entry per value of ink; entry 0 is nothing.
using Palette = std::array<PaletteEntry, 256>;

/// What decides how a Paint looks as bytes.
struct ColourSpace {
  PixelFormat format = PixelFormat::rgb;
  YuvMatrix matrix = YuvMatrix::bt601;
  YuvRange range = YuvRange::limited;
  friend bool operator==(const ColourSpace&, const ColourSpace&) = default;
};

[[nodiscard]] PaletteEntry to_entry(const Paint& paint, const ColourSpace& space);

/// One or two rows of ink for the pixels [x_begin, x_end) from row y on: ink[i][0] is at (x_begin, y + i). Bands start
/// at even x and even y and end at even x or at the frame's width, so that they hold whole chroma samples.
struct Band {
  int x_begin = 0;
  int x_end = 0;
  int y = 0;
  int rows = 2;  ///< 1 only for the last row of a frame of odd height
  std::array<const std::uint8_t*, 2> ink{};
};

/// Lays the band's ink on `frame`. A chroma sample shared by several pixels gets the mean of what they would get.
void blend(const MutableImageView& frame, const Band& band, const Palette& palette) noexcept;

}  // namespace padim
