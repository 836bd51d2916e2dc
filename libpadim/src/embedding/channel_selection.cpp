// CPython's random.sample, bit for bit, because published PaDiM results depend on which channels seed 1024 selects.
// randbelow(n) draws getrandbits(n.bit_length()), the top bits of one word, until the value is below n; sample() keeps
// a pool for large samples and a set for small ones. Must match CPython 3.2 and later exactly: seed 1024, 100 of 448
// starts 408 9 247 435 199.

#include "embedding/channel_selection.h"

#include <cmath>
#include <numeric>
#include <string>
#include <unordered_set>

#include "base/cpython_random.h"
#include "padim/error.h"

namespace padim {
namespace {

// sample() copies the population into a pool where a set of that size would be larger.
bool prefers_pool(int population, int count) {
  double set_size = 21;
  if (count > 5) set_size += std::pow(4.0, std::ceil(std::log(count * 3.0) / std::log(4.0)));
  return population <= set_size;
}

std::vector<int> sample_from_pool(CPythonRandom& random, int population, int count) {
  std::vector<int> pool(static_cast<std::size_t>(population));
  std::iota(pool.begin(), pool.end(), 0);
  std::vector<int> result;
  for (int i = 0; i < count; ++i) {
    const auto j = static_cast<std::size_t>(random.below(population - i));
    result.push_back(pool[j]);
    pool[j] = pool[static_cast<std::size_t>(population - i - 1)];
  }
  return result;
}

std::vector<int> sample_with_set(CPythonRandom& random, int population, int count) {
  std::unordered_set<int> seen;
  std::vector<int> result;
  while (static_cast<int>(result.size()) < count) {
    const int j = random.below(population);
    if (seen.insert(j).second) result.push_back(j);
  }
  return result;
}

}  // namespace

std::vector<int> sample_channels(std::uint64_t seed, int population, int count) {
  if (count < 1 || count > population) {
    throw Error(ErrorCode::invalid_argument, "cannot select " + std::to_string(count) + " of " +
                                                 std::to_string(population) + " channels: dimensions must be 1.." +
                                                 std::to_string(population));
  }
  CPythonRandom random(seed);
  return prefers_pool(population, count) ? sample_from_pool(random, population, count)
                                         : sample_with_set(random, population, count);
}

}  // namespace padim
