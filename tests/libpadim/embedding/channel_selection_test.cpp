#include "embedding/channel_selection.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "expect_error.h"

namespace padim::test {
namespace {

// What CPython 3.11 printed for random.seed(seed); random.sample(range(population), count).
struct Sequence {
  std::uint64_t seed;
  int population;
  std::vector<int> drawn;
};
const Sequence kShort[] = {
    {0U, 1, {0}},
    {0U, 5, {3, 4, 0, 1, 2}},
    {1U, 21, {4, 18, 2}},
    {1U, 22, {4, 18, 2, 8, 3}},
    {2U, 21, {1, 2, 19, 11, 5, 9, 4, 15, 3, 13, 0, 17, 18, 6, 16, 12, 14, 8, 7, 20, 10}},
    {7U, 21, {10, 4, 12, 1, 2}},
    {7U, 22, {10, 4, 12, 20, 1}},
    {7U, 85, {41, 19, 50, 6, 9, 68, 12, 46, 74, 7, 64, 27, 4, 11, 55, 53}},
    {7U, 86, {41, 19, 50, 83, 6, 9, 68, 12, 46, 74, 7, 64, 27, 4, 11, 55}},
    {1024U, 10, {0}},
    {4294967295U, 30, {20, 19, 6, 16}},
    {4294967296U, 30, {3, 11, 13, 29}},
    {4294967296U, 1000000, {118483, 368376, 438125}},
    {9223372036854775808U, 30, {17, 12, 6, 7}},
    {18446744073709551615U, 30, {0, 7, 10, 19}},
    {123456789012345U, 64, {28, 18, 26, 14, 49, 33, 56, 7}},
    {5U, 2147483647, {1337671202, 548563996, 1592975436}},
};

// The same for long samples: the first five, and the polynomial h = 1000003 h + x (mod 2^64) over all.
struct Digest {
  std::uint64_t seed;
  int population;
  int count;
  std::array<int, 5> start;
  std::uint64_t polynomial;
};
const Digest kLong[] = {
    {1024U, 448, 100, {408, 9, 247, 435, 199}, 17281360283319415769U},
    {1024U, 448, 448, {408, 9, 247, 435, 199}, 2251854102927643828U},
    {1024U, 1792, 550, {1632, 39, 990, 1740, 797}, 12965955425933894036U},
    {1024U, 256, 256, {9, 123, 217, 99, 82}, 5931735063446764910U},
    {0U, 448, 100, {432, 197, 388, 215, 20}, 17641509010435255000U},
    {0U, 65536, 1000, {50494, 55125, 5306, 33936, 63691}, 8141963619275521521U},
    {4294967296U, 448, 100, {57, 179, 213, 8, 11}, 14672085723326065461U},
    {9223372036854775808U, 448, 100, {283, 201, 107, 123, 435}, 8718608569231463702U},
    {9223372036854775808U, 1792, 550, {1133, 806, 428, 495, 1743}, 15722040344764610608U},
    {42U, 100000, 2000, {83810, 14592, 3278, 97196, 36048}, 4249057893243652385U},
    {99U, 277, 85, {206, 194, 102, 91, 117}, 17835571313185921776U},
    {99U, 278, 85, {206, 194, 102, 91, 117}, 13483842418333994879U},
    {3U, 1045, 86, {487, 267, 757, 970, 134}, 8125962888453641886U},
    {3U, 1046, 86, {487, 267, 757, 970, 134}, 13638703815969123521U},
};

std::uint64_t polynomial(const std::vector<int>& drawn) {
  std::uint64_t sum = 0;
  for (const int x : drawn) sum = sum * 1000003U + static_cast<std::uint64_t>(x);
  return sum;
}

// Every seed width (one and two words) and both of sample()'s algorithms, on either side of where it changes between
// them (21, 85, 277 and 1045 for 5, 16, 85 and 86 draws), give CPython's sequence.
TEST(ChannelSelection, EqualsCPython) {
  for (const Sequence& c : kShort) {
    EXPECT_EQ(sample_channels(c.seed, c.population, static_cast<int>(c.drawn.size())), c.drawn)
        << c.seed << ", " << c.population;
  }
  for (const Digest& c : kLong) {
    const std::vector<int> drawn = sample_channels(c.seed, c.population, c.count);
    ASSERT_EQ(static_cast<int>(drawn.size()), c.count);
    EXPECT_TRUE(std::equal(c.start.begin(), c.start.end(), drawn.begin())) << c.seed << ", " << c.population;
    EXPECT_EQ(polynomial(drawn), c.polynomial) << c.seed << ", " << c.population << ", " << c.count;
  }
}

// Whatever the seed, channels are drawn without repeats and inside the population.
TEST(ChannelSelection, DrawsWithoutRepeats) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const int population = 1 + static_cast<int>(seed * 7 % 300);
    const int count = 1 + static_cast<int>(seed * 13) % population;
    std::vector<int> drawn = sample_channels(seed, population, count);
    std::sort(drawn.begin(), drawn.end());
    EXPECT_EQ(std::adjacent_find(drawn.begin(), drawn.end()), drawn.end());
    EXPECT_GE(drawn.front(), 0);
    EXPECT_LT(drawn.back(), population);
  }
}

// A count that cannot be drawn is named together with what can.
TEST(ChannelSelection, RejectsImpossibleCounts) {
  for (const auto& [population, count] : {std::pair{10, 0}, {10, -1}, {10, 11}, {0, 1}, {-5, -5}}) {
    expect_error(ErrorCode::invalid_argument, {"cannot select " + std::to_string(count), std::to_string(population)},
                 [from = population, number = count] { (void)sample_channels(1024, from, number); });
  }
}

}  // namespace
}  // namespace padim::test
