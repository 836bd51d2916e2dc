// randbelow(n) draws getrandbits(n.bit_length()), the top bits of one word, until the value is below n. random() makes
// a double from the top 27 and 26 bits of two words. gauss() is the pair of Box and Muller (1958) in CPython's order:
// the first uniform number is the angle, the second the radius, cosine before sine.

#include "base/cpython_random.h"

#include <bit>
#include <cmath>
#include <numbers>
#include <utility>

namespace padim {
namespace {

constexpr std::size_t kShift = 397;

}  // namespace

CPythonRandom::CPythonRandom(std::uint64_t seed) {
  init_genrand(19650218U);
  const std::array<std::uint32_t, 2> key{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)};
  init_by_array(key, key[1] != 0 ? 2 : 1);
}

int CPythonRandom::below(int n) {
  const int bits = static_cast<int>(std::bit_width(static_cast<unsigned>(n)));
  std::uint32_t value = 0;
  do {
    value = next() >> (32 - bits);
  } while (value >= static_cast<std::uint32_t>(n));
  return static_cast<int>(value);
}

double CPythonRandom::uniform() {
  const std::uint32_t high = next() >> 5;
  const std::uint32_t low = next() >> 6;
  return (static_cast<double>(high) * 67108864.0 + static_cast<double>(low)) / 9007199254740992.0;
}

double CPythonRandom::gauss() {
  if (second_) return *std::exchange(second_, std::nullopt);
  const double angle = uniform() * 2 * std::numbers::pi;
  const double radius = std::sqrt(-2 * std::log(1 - uniform()));
  second_ = std::sin(angle) * radius;
  return std::cos(angle) * radius;
}

void CPythonRandom::init_genrand(std::uint32_t seed) {
  state_[0] = seed;
  for (std::size_t i = 1; i < kWords; ++i) {
    state_[i] = 1812433253U * mixed(i) + static_cast<std::uint32_t>(i);
  }
}

void CPythonRandom::init_by_array(const std::array<std::uint32_t, 2>& key, std::size_t length) {
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

void CPythonRandom::advance(std::size_t& i) {
  if (++i == kWords) {
    state_[0] = state_[kWords - 1];
    i = 1;
  }
}

void CPythonRandom::refill() {
  for (std::size_t i = 0; i < kWords; ++i) {
    const std::uint32_t y = (state_[i] & 0x80000000U) | (state_[(i + 1) % kWords] & 0x7fffffffU);
    state_[i] = state_[(i + kShift) % kWords] ^ (y >> 1) ^ ((y & 1U) != 0 ? 0x9908b0dfU : 0U);
  }
  position_ = 0;
}

std::uint32_t CPythonRandom::next() {
  if (position_ == kWords) refill();
  std::uint32_t y = state_[position_++];
  y ^= y >> 11;
  y ^= (y << 7) & 0x9d2c5680U;
  y ^= (y << 15) & 0xefc60000U;
  return y ^ (y >> 18);
}

}  // namespace padim
