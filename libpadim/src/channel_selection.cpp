// CPython's random.sample, bit for bit, because published PaDiM results depend on which channels seed 1024 selects.
// random.seed(int) feeds the integer's 32-bit words to MT19937's init_by_array (Matsumoto and Nishimura 2002);
// randbelow(n) draws getrandbits(n.bit_length()), the top bits of one word, until the value is below n; sample() keeps
// a pool for large samples and a set for small ones. Must match CPython 3.2 and later exactly: seed 1024, 100 of 448
// starts 408 9 247 435 199.

#include "channel_selection.h"

#include <array>
#include <bit>
#include <cmath>
#include <numeric>
#include <string>
#include <unordered_set>

#include "padim/error.h"

namespace padim {
namespace {

class CPythonRandom {
 public:
  explicit CPythonRandom(std::uint64_t seed) {
    init_genrand(19650218U);
    const std::array<std::uint32_t, 2> key{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)};
    init_by_array(key, key[1] != 0 ? 2 : 1);
  }

  int below(int n) {
    const int bits = std::bit_width(static_cast<unsigned>(n));
    std::uint32_t value = 0;
    do {
      value = next() >> (32 - bits);
    } while (value >= static_cast<std::uint32_t>(n));
    return static_cast<int>(value);
  }

 private:
  static constexpr std::size_t kWords = 624;
  static constexpr std::size_t kShift = 397;

  void init_genrand(std::uint32_t seed) {
    state_[0] = seed;
    for (std::size_t i = 1; i < kWords; ++i) {
      state_[i] = 1812433253U * mixed(i) + static_cast<std::uint32_t>(i);
    }
  }

  void init_by_array(const std::array<std::uint32_t, 2>& key, std::size_t length) {
    std::size_t i = 1;
    for (std::size_t k = 0, j = 0; k < kWords; ++k, j = (j + 1) % length) {
      state_[i] = (state_[i] ^ (mixed(i) * 1664525U)) + key[j] + static_cast<std::uint32_t>(j);
      advance(i);
    }
    for (std::size_t k = 1; k < kWords; ++k) {
      state_[i] = (state_[i] ^ (mixed(i) * 1566083941U)) - static_cast<std::uint32_t>(i);
      advance(i);
    }
    state_[0] = 0x80000000U;
  }

  [[nodiscard]] std::uint32_t mixed(std::size_t i) const { return state_[i - 1] ^ (state_[i - 1] >> 30); }

  void advance(std::size_t& i) {
    if (++i == kWords) {
      state_[0] = state_[kWords - 1];
      i = 1;
    }
  }

  void refill() {
    for (std::size_t i = 0; i < kWords; ++i) {
      const std::uint32_t y = (state_[i] & 0x80000000U) | (state_[(i + 1) % kWords] & 0x7fffffffU);
      state_[i] = state_[(i + kShift) % kWords] ^ (y >> 1) ^ ((y & 1U) != 0 ? 0x9908b0dfU : 0U);
    }
    position_ = 0;
  }

  std::uint32_t next() {
    if (position_ == kWords) refill();
    std::uint32_t y = state_[position_++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680U;
    y ^= (y << 15) & 0xefc60000U;
    return y ^ (y >> 18);
  }

  std::array<std::uint32_t, kWords> state_{};
  std::size_t position_ = kWords;
};

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
