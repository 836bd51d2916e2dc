#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace padim::test {

/// Normally distributed floats; the same ones for the same seed on every machine with this standard library.
inline std::vector<float> normal_floats(std::size_t count, std::uint32_t seed, float mean = 0, float deviation = 1) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(mean, deviation);
  std::vector<float> values(count);
  for (float& value : values) value = normal(generator);
  return values;
}

/// Uniformly distributed bytes.
inline std::vector<std::uint8_t> random_bytes(std::size_t count, std::uint32_t seed) {
  std::mt19937 generator(seed);
  std::vector<std::uint8_t> values(count);
  for (std::uint8_t& value : values) value = static_cast<std::uint8_t>(generator() >> 24);
  return values;
}

/// A whole number in [low, high].
inline int random_int(std::mt19937& generator, int low, int high) {
  return low + static_cast<int>(generator() % static_cast<unsigned>(high - low + 1));
}

}  // namespace padim::test
