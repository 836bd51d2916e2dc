#include "fit/outliers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "plain_model.h"

namespace padim::test {
namespace {

Outliers found_in(const Frames& frames, const ModelInfo& info) {
  WorkerPool pool(1);
  EmbeddingSet set{info.positions.width * info.positions.height, info.dimensions, {}};
  for (const auto& frame : frames) set.frames.emplace_back(frame);
  return find_outliers(set, pairwise_distances(set, pool), info, pool);
}

// Of images, whose outliers need not stand out as far as those of a stream.
ModelInfo info_of(Size positions, int dimensions, double prior = 30) {
  return plain_info(positions, dimensions, SourceKind::images, prior);
}

// The frame with something else at a quarter of its positions.
std::vector<float> with_a_hand(std::vector<float> frame, float depth, std::uint32_t seed) {
  const std::vector<float> hand = normal_floats(frame.size() / 4, seed, depth);
  for (std::size_t i = 0; i < hand.size(); ++i) frame[frame.size() / 2 + i] += hand[i];
  return frame;
}

// A grid and dimensions at which image scores of noise hardly differ, as those of real embeddings.
constexpr Size kGrid{6, 5};
constexpr int kDimensions = 48;

// Dark frames and something in view, at the ends and in the middle, alone and several in a row: all of them and no
// other, with more dimensions than frames.
TEST(Outliers, AreFoundExactly) {
  const std::vector<std::vector<int>> cases = {{0}, {0, 1, 2}, {20, 21, 22, 23, 24, 25}, {5, 17, 39}, {39}, {}};
  for (const double prior : {0.0, 30.0}) {
    for (const auto& expected : cases) {
      const ModelInfo info = info_of(kGrid, kDimensions, prior);
      Frames dark = noisy_frames(info, 40);
      Frames hand = dark;
      for (const int i : expected) {
        for (float& value : dark[static_cast<std::size_t>(i)]) value = 0.01F * value - 12;
        auto& frame = hand[static_cast<std::size_t>(i)];
        frame = with_a_hand(frame, 3, static_cast<std::uint32_t>(i + 60));
      }
      EXPECT_EQ(found_in(dark, info).frames, expected) << prior;
      if (expected.size() > 3) continue;  // frames that are no near copies of each other hide each other
      const Outliers passing = found_in(hand, info);
      EXPECT_EQ(passing.frames, expected) << prior;
      ASSERT_EQ(passing.ratio.size(), passing.frames.size());
      for (const double ratio : passing.ratio) EXPECT_GT(ratio, 1.25);
      EXPECT_FALSE(passing.inconsistent);
    }
  }
}

// The ratio is that of the leave-one-out scores to their median, by fits of the test's own.
TEST(Outliers, HaveTheRatioOfTheirScores) {
  const ModelInfo info = info_of(kGrid, 16, 30);  // the least prior that frames are judged with
  Frames frames = noisy_frames(info, 60);
  frames[10] = with_a_hand(frames[10], 2, 5);
  std::vector<float> scores;
  for (int i = 0; i < 60; ++i) {
    scores.push_back(PlainModel(without(frames, {i}), info).score(frames[static_cast<std::size_t>(i)]));
  }
  const float own = scores[10];
  std::ranges::nth_element(scores, scores.begin() + 30);
  const Outliers found = found_in(frames, info);
  ASSERT_EQ(found.frames, std::vector{10});
  EXPECT_NEAR(found.ratio[0] / static_cast<double>(own / scores[30]), 1, 0.05);
}

// What a gross outlier hides is found once that one is out.
TEST(Outliers, AreFoundBehindOthers) {
  const ModelInfo info = info_of(kGrid, kDimensions);
  Frames frames = noisy_frames(info, 40);
  frames[8] = with_a_hand(frames[8], 4, 3);
  ASSERT_EQ(found_in(frames, info).frames, std::vector{8});
  frames[30] = with_a_hand(frames[30], 400, 4);
  EXPECT_EQ(found_in(frames, info).frames, (std::vector{8, 30}));
}

// Where more than 30 % stand out there is no normal to be unlike of: none are named.
TEST(Outliers, AreNotNamedWhereTheyAreMany) {
  const ModelInfo info = info_of(kGrid, kDimensions);
  for (const int many : {8, 14}) {
    Frames frames = noisy_frames(info, 40);
    for (int i = 0; i < many; ++i) {
      auto& frame = frames[static_cast<std::size_t>(i * 40 / many)];
      frame = with_a_hand(frame, 30.0F + static_cast<float>(20 * i), static_cast<std::uint32_t>(i));
    }
    const Outliers found = found_in(frames, info);
    EXPECT_EQ(found.inconsistent, many == 14);
    EXPECT_EQ(found.frames.size(), many == 14 ? 0U : 8U);
  }
}

// Homogeneous noise has no outliers, however few frames there are for the dimensions, with a prior or without: where
// scores are nearly alike, the farthest of them is not far.
TEST(Outliers, AreNotFoundInCleanNoise) {
  for (const double prior : {0.0, 30.0}) {
    for (const auto& [positions, d] : {std::pair{Size{16, 12}, 64}, {kGrid, kDimensions}}) {
      const ModelInfo info = info_of(positions, d, prior);
      for (const int count : {2, 7, 8, 10, 12, 16, 20, 30, 60}) {
        const Outliers found = found_in(noisy_frames(info, count, static_cast<std::uint32_t>(10000 * count)), info);
        EXPECT_EQ(found.frames, std::vector<int>{}) << count << " frames, d = " << d << ", prior " << prior;
        EXPECT_FALSE(found.inconsistent);
      }
    }
  }
}

// Scores of a few positions and dimensions scatter more, and some reach what is four deviations away: less than one
// frame in a hundred.
TEST(Outliers, AreRareInCleanNoiseOfFewDimensions) {
  for (const double prior : {0.0, 30.0}) {
    int found = 0;
    int frames = 0;
    for (const auto& [positions, d] :
         {std::pair{Size{4, 3}, 15}, {Size{2, 2}, 15}, {Size{8, 6}, 15}, {Size{3, 2}, 6}}) {
      const ModelInfo info = info_of(positions, d, prior);
      for (const int count : {8, 10, 12, 16, 20, 30, 60}) {
        for (std::uint32_t seed = 0; seed < 20; ++seed) {
          found += static_cast<int>(found_in(noisy_frames(info, count, 10000 * seed), info).frames.size());
          frames += count;
        }
      }
    }
    EXPECT_LT(found, frames / 100) << prior;
  }
}

// Fewer than 5 frames have none, whatever they show.
TEST(Outliers, NeedFiveFrames) {
  const ModelInfo info = info_of(kGrid, kDimensions);
  for (const int count : {0, 1, 2, 4, 5, 7}) {
    Frames frames = noisy_frames(info, count);
    if (count > 0) frames[0] = with_a_hand(frames[0], 50, 3);
    EXPECT_EQ(found_in(frames, info).frames, count < 5 ? std::vector<int>{} : std::vector{0}) << count;
  }
}

}  // namespace
}  // namespace padim::test
