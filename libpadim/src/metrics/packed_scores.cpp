// A million scores of a smooth map lie close together on the axis of all floats: sorted, one follows the other after
// some ten or hundred floats, so that the differences take one or two bytes. As they add up to less than 2^32, a
// million of them never takes more than 2.3 MB, whatever the scores are.

#include "metrics/packed_scores.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

namespace padim {
namespace {

constexpr std::uint32_t kSign = 0x80000000U;
constexpr unsigned kDigitBits = 11;
constexpr std::uint32_t kDigits = 1U << kDigitBits;
constexpr std::size_t kFewKeys = 2 * kDigits;  // up to here comparing is quicker than counting

// One pass of a least-significant-digit radix sort; false where all keys have the same digit.
bool sort_by_digit(const std::vector<std::uint32_t>& from, std::vector<std::uint32_t>& to, unsigned shift) {
  std::array<std::size_t, kDigits> place{};
  for (const std::uint32_t key : from) ++place[key >> shift & (kDigits - 1)];
  if (place[from.front() >> shift & (kDigits - 1)] == from.size()) return false;
  std::size_t sum = 0;
  for (std::size_t& count : place) sum += std::exchange(count, sum);
  for (const std::uint32_t key : from) to[place[key >> shift & (kDigits - 1)]++] = key;
  return true;
}

}  // namespace

std::uint32_t key_of(float score) {
  const auto bits = std::bit_cast<std::uint32_t>(score + 0.0F);  // -0 becomes +0
  return (bits & kSign) != 0 ? bits : ~(bits | kSign);
}

float score_of(std::uint32_t key) { return std::bit_cast<float>((key & kSign) != 0 ? key : ~key & ~kSign); }

void sort_keys(std::vector<std::uint32_t>& keys) {
  if (keys.size() < kFewKeys) {
    std::sort(keys.begin(), keys.end());
    return;
  }
  std::vector<std::uint32_t> other(keys.size());
  for (unsigned shift = 0; shift < 32; shift += kDigitBits) {
    if (sort_by_digit(keys, other, shift)) keys.swap(other);
  }
}

std::vector<std::uint8_t> pack(std::span<const std::uint32_t> ascending) {
  std::vector<std::uint8_t> bytes;
  bytes.reserve(ascending.size() * 9 / 4 + 8);
  std::uint32_t last = 0;
  for (const std::uint32_t key : ascending) {
    std::uint32_t difference = key - std::exchange(last, key);
    for (; difference >= 0x80U; difference >>= 7U) bytes.push_back(static_cast<std::uint8_t>(difference | 0x80U));
    bytes.push_back(static_cast<std::uint8_t>(difference));
  }
  bytes.shrink_to_fit();
  return bytes;
}

}  // namespace padim
