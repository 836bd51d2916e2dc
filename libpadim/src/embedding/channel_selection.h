#pragma once

#include <cstdint>
#include <vector>

namespace padim {

/// The `count` numbers out of [0, population) that CPython's `random.seed(seed); random.sample(range(population),
/// count)` returns, in that order. Throws Error (invalid_argument) unless 1 <= count <= population.
[[nodiscard]] std::vector<int> sample_channels(std::uint64_t seed, int population, int count);

}  // namespace padim
