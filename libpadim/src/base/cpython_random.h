#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace padim {

/// CPython's random.Random (3.2 and later), so that anybody can draw the same numbers: MT19937, seeded by init_by_array
/// (Matsumoto and Nishimura 2002) with the 32-bit words of the seed.
class CPythonRandom {
 public:
  explicit CPythonRandom(std::uint64_t seed);

  /// What random._randbelow(n) returns, bit for bit: 0..n-1; n >= 1.
  int below(int n);

  /// What random.random() returns, bit for bit: a multiple of 2^-53 in [0, 1).
  double uniform();

  /// What random.gauss(0, 1) returns, up to the last bit of this machine's log, sin and cos.
  double gauss();

 private:
  static constexpr std::size_t kWords = 624;

  void init_genrand(std::uint32_t seed);
  void init_by_array(const std::array<std::uint32_t, 2>& key, std::size_t length);
  [[nodiscard]] std::uint32_t mixed(std::size_t i) const { return state_[i - 1] ^ (state_[i - 1] >> 30); }
  void advance(std::size_t& i);
  void refill();
  std::uint32_t next();

  std::array<std::uint32_t, kWords> state_{};
  std::size_t position_ = kWords;
  std::optional<double> second_;  // numbers of gauss() come in pairs
};

}  // namespace padim
