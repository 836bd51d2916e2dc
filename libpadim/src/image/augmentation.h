#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "padim/geometry.h"

namespace padim {

/// Copies of a picture that differ from it at random: uint8 RGB [height, width, 3], sides up to 4096, not in the
/// picture's own memory. The sequence is the same for the same seed. One thread at a time.
class Augmentation {
 public:
  explicit Augmentation(std::uint64_t seed);

  /// As a fixed camera's pictures vary: light +-15 %, white balance +-5 %, shift +-1.5 pixels, noise 1 % of the range.
  /// What a short fit of a static scene has not seen then does not pass for an anomaly.
  void vary(std::span<const std::uint8_t> from, Size size, std::span<std::uint8_t> to);

  /// As parts lie in any pose: any angle about the middle, shift +-4 pixels, light +-10 %, the border repeated
  /// outwards.
  void turn(std::span<const std::uint8_t> from, Size size, std::span<std::uint8_t> to);

 private:
  float uniform(float low, float high);

  std::mt19937_64 random_;
  std::vector<std::int16_t> noise_;  // a strip that each row takes a piece of
  std::vector<std::uint16_t> row_;   // scratch
};

}  // namespace padim
