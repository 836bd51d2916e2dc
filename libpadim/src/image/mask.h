#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "padim/geometry.h"

namespace padim {

// A mask at network-input size: [input.height, input.width], 1 where a pixel counts, 0 where it is ignored; empty:
// everything counts.

/// Which pixels of `geometry`'s network input count, by a picture of the fitted frame. A pixel that would see a single
/// ignored pixel of the frame through the resize filter is ignored. Throws invalid_argument where the picture's shape
/// is not the frame's, or nothing is left.
[[nodiscard]] std::vector<std::uint8_t> resolve_mask(const MaskPicture& picture, const Geometry& geometry);

/// Where both count; either may be empty.
[[nodiscard]] std::vector<std::uint8_t> intersection(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b);

/// [P]: 1 for the patch positions whose cell has a pixel that counts; empty for an empty mask.
[[nodiscard]] std::vector<std::uint8_t> counting_positions(std::span<const std::uint8_t> mask, Size input,
                                                           Size positions);

/// Paints what is ignored in one grey, so that nothing the network computes depends on it. rgb: uint8 RGB
/// [input.height, input.width, 3].
void blank(std::span<const std::uint8_t> mask, std::span<std::uint8_t> rgb) noexcept;

}  // namespace padim
