#include "scene/limits.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace padim::test {
namespace {

double choose(int n, int k) { return std::exp(std::lgamma(n + 1.0) - std::lgamma(k + 1.0) - std::lgamma(n - k + 1.0)); }

// The median over what counts, whatever the others are.
TEST(MedianDistance, IsOfWhatCounts) {
  std::vector<float> scratch;
  const std::vector<float> distances{9, 1, 8, 2, 7, 3};
  EXPECT_EQ(median_distance(distances, {}, scratch), 7);
  EXPECT_EQ(median_distance(distances, std::vector<std::uint8_t>{0, 1, 0, 1, 0, 1}, scratch), 2);
  EXPECT_EQ(median_distance(distances, std::vector<std::uint8_t>(6), scratch), 0);
  EXPECT_EQ(distances, (std::vector<float>{9, 1, 8, 2, 7, 3}));
}

// The level is that of the segment that differs most from the others, and a quarter of its frames lie below it.
TEST(SceneLimits, AreTheLargestLowerQuartile) {
  EXPECT_EQ(scene_limits({{8, 1, 5, 3, 2, 7, 6, 4}, {30, 10, 40, 20}, {}}), 20);
  EXPECT_EQ(scene_limits({{5}}), 5);
  EXPECT_EQ(scene_limits({{}, {}}), 0);
  EXPECT_EQ(scene_limits({}), 0);
}

// An eighth of the fit, within bounds.
TEST(SceneBlocks, AreAnEighthOfTheFit) {
  const std::vector<std::pair<std::int64_t, int>> cases{{0, 4},  {4, 4},    {39, 4},   {40, 5},
                                                        {54, 6}, {255, 31}, {256, 32}, {std::int64_t{1} << 40, 32}};
  for (const auto& [fitted, frames] : cases) EXPECT_EQ(scene_block_frames(fitted), frames) << fitted;
}

// The least number of blocks that chance brings once in a thousand times, by the closed form.
TEST(SceneBlocks, AreAsManyAsChanceCallsFor) {
  EXPECT_EQ(scene_blocks_needed(8), 5);
  EXPECT_EQ(scene_blocks_needed(7), 6);
  EXPECT_EQ(scene_blocks_needed(5), 8);
  EXPECT_EQ(scene_blocks_needed(1), 999);
  for (int segments = 1; segments <= 40; ++segments) {
    const int blocks = scene_blocks_needed(segments);
    EXPECT_GE(choose(segments + blocks, blocks), 1000 * (1 - 1e-9)) << segments;
    EXPECT_LT(choose(segments + blocks - 1, blocks - 1), 1000) << segments;
  }
}

}  // namespace
}  // namespace padim::test
