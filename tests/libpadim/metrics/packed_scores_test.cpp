#include "metrics/packed_scores.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

namespace padim {
namespace {

using Keys = std::vector<std::uint32_t>;

Keys unpacked(const std::vector<std::uint8_t>& bytes) {
  Keys keys;
  for (PackedReader reader(bytes); !reader.done(); reader.next()) keys.push_back(reader.key());
  return keys;
}

// The order of keys is that of the scores, turned round, over every kind of float; keys lead back to their score.
TEST(PackedScores, KeysFallAsScoresRise) {
  using Limits = std::numeric_limits<float>;
  const std::vector<float> rising = {Limits::lowest(),     -1.5F, -1, -Limits::min(), -Limits::denorm_min(), 0,
                                     Limits::denorm_min(), 1e-9F, 1,  1.0000001F,     Limits::max()};
  for (std::size_t i = 0; i < rising.size(); ++i) {
    EXPECT_EQ(score_of(key_of(rising[i])), rising[i]);
  }
  for (std::size_t i = 1; i < rising.size(); ++i) EXPECT_LT(key_of(rising[i]), key_of(rising[i - 1])) << rising[i];
  EXPECT_EQ(key_of(-0.0F), key_of(0.0F));
}

// Few keys and many, near and far, with and without ties: what std::sort gives.
TEST(PackedScores, SortsAsTheStandardLibraryDoes) {
  std::mt19937 random(5);
  for (const std::size_t count : {0U, 1U, 100U, 4096U, 50000U}) {
    for (const unsigned bits : {0U, 3U, 12U, 23U, 32U}) {
      Keys keys(count);
      for (auto& key : keys) key = 77 + static_cast<std::uint32_t>((std::uint64_t{1} << bits) * random() >> 32U);
      Keys expected = keys;
      std::sort(expected.begin(), expected.end());
      sort_keys(keys);
      EXPECT_EQ(keys, expected) << count << " keys of " << bits << " bits";
    }
  }
}

// Unpacking gives back what was packed, at the ends of the range too.
TEST(PackedScores, UnpackGivesBackTheKeys) {
  const std::vector<Keys> cases = {{},
                                   {0},
                                   {0xFFFFFFFFU},
                                   {0, 0, 0xFFFFFFFFU, 0xFFFFFFFFU},
                                   {0, 127, 127 + 128, 127 + 128 + 16383, 127 + 128 + 16383 + 16384},
                                   {5, 5 + (1U << 21U), 5 + (1U << 28U), 5 + (1U << 31U)}};
  for (const Keys& keys : cases) EXPECT_EQ(unpacked(pack(keys)), keys);
}

// The bound that the memory of a Ranking rests on: 2.3 bytes per key for a million keys, also where a quarter of the
// differences is as large as they all together allow.
TEST(PackedScores, AMillionKeysTakeAtMost2300000Bytes) {
  constexpr std::size_t kCount = 1'000'000;
  std::mt19937 random(5);
  Keys spread(kCount);
  for (auto& key : spread) key = static_cast<std::uint32_t>(random());
  sort_keys(spread);
  Keys jumps(kCount);
  for (std::size_t i = 1; i < kCount; ++i) jumps[i] = jumps[i - 1] + (i % 4 == 0 ? (1U << 14U) : 128U);
  for (const Keys& keys : {spread, jumps}) {
    const auto bytes = pack(keys);
    EXPECT_LE(bytes.size(), kCount * 23 / 10);
    EXPECT_EQ(unpacked(bytes), keys);
  }
}

}  // namespace
}  // namespace padim
