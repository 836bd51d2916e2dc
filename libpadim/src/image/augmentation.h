#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "padim/geometry.h"

namespace padim {

/// Varies a picture as a fixed camera's pictures vary: light +-15 %, white balance +-5 %, shift +-1.5 pixels, noise 1 %
/// of the range. What a short fit of a static scene has not seen then does not pass for an anomaly. The sequence is the
/// same for the same seed. One thread at a time.
class Augmentation {
 public:
  explicit Augmentation(std::uint64_t seed) : random_(seed) {}

  /// from, to: uint8 RGB [height, width, 3], not the same memory.
  void run(std::span<const std::uint8_t> from, Size size, std::span<std::uint8_t> to);

 private:
  float uniform(float low, float high);
  float noise();

  std::mt19937_64 random_;
};

}  // namespace padim
