#include "statistics/near_copies.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "random_numbers.h"

namespace padim::test {
namespace {

constexpr int kPositions = 150;  // as many numbers as it takes for distances between noise to be nearly alike
constexpr int kDimensions = 7;
constexpr std::size_t kSize = kPositions * kDimensions;

using Frames = std::vector<std::vector<float>>;
using Copies = std::vector<std::vector<int>>;

Frames random_frames(int count, std::uint32_t seed) {
  Frames frames;
  for (int i = 0; i < count; ++i) frames.push_back(normal_floats(kSize, seed + static_cast<std::uint32_t>(i), 2));
  return frames;
}

// The frame with noise of a small part of the distance between frames.
std::vector<float> nearly(std::vector<float> frame, float noise, std::uint32_t seed) {
  const auto values = normal_floats(frame.size(), seed, 0, noise);
  for (std::size_t i = 0; i < frame.size(); ++i) frame[i] += values[i];
  return frame;
}

// A stream whose every frame is a small step away from the one before, and from where it goes nobody returns.
Frames random_walk(int count, std::uint32_t seed) {
  Frames frames = random_frames(1, seed);
  for (int i = 1; i < count; ++i) frames.push_back(nearly(frames.back(), 0.3F, seed + static_cast<std::uint32_t>(i)));
  return frames;
}

Eigen::MatrixXf distances_of(const Frames& frames, int threads = 1) {
  EmbeddingSet set{kPositions, kDimensions, {}};
  for (const auto& frame : frames) set.frames.emplace_back(frame);
  WorkerPool pool(threads);
  return pairwise_distances(set, pool);
}

double distance(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::pow(static_cast<double>(a[i]) - static_cast<double>(b[i]), 2);
  return std::sqrt(sum);
}

// A plain loop in double precision; also where frames are nearly alike beside a mean far above their spread.
TEST(PairwiseDistances, EqualAPlainLoop) {
  Frames frames = random_frames(20, 1);
  for (int i = 0; i < 5; ++i) frames.push_back(nearly(frames[static_cast<std::size_t>(i)], 0.01F, 900));
  frames.push_back(frames[3]);
  for (const float offset : {0.0F, 300.0F}) {
    for (auto& frame : frames) {
      for (float& value : frame) value += offset;
    }
    for (const int threads : {1, 3, 9}) {
      const Eigen::MatrixXf found = distances_of(frames, threads);
      ASSERT_EQ(found.rows(), 26);
      EXPECT_EQ(found, found.transpose());
      for (int i = 0; i < 26; ++i) {
        EXPECT_EQ(found(i, i), 0);
        for (int j = 0; j < 26; ++j) {
          const double expected = distance(frames[static_cast<std::size_t>(i)], frames[static_cast<std::size_t>(j)]);
          EXPECT_NEAR(found(i, j), expected, 1e-4 * expected + 1e-2) << i << ", " << j << ", " << offset;
        }
      }
    }
  }
  EXPECT_EQ(distances_of({frames[0]}).size(), 1);
}

// Every frame shown twice, in any order: its twin and nothing else.
TEST(NearCopies, FindsTheSameFrameTwice) {
  for (const int count : {4, 5, 8, 20, 50}) {
    Frames frames = random_frames(count, 10);
    const Frames once = frames;
    frames.insert(frames.end(), once.rbegin(), once.rend());
    const Copies copies = near_copies(distances_of(frames));
    ASSERT_EQ(copies.size(), frames.size());
    for (int i = 0; i < 2 * count; ++i) {
      EXPECT_EQ(copies[static_cast<std::size_t>(i)], std::vector<int>{2 * count - 1 - i}) << count;
    }
  }
}

// The same with a little other light, two copies of some frames, and none of others.
TEST(NearCopies, FindsWhatIsNearlyTheSame) {
  Frames frames = random_frames(20, 40);
  frames.push_back(nearly(frames[3], 0.2F, 1));
  frames.push_back(nearly(frames[7], 0.2F, 2));
  frames.push_back(nearly(frames[7], 0.2F, 3));
  const Copies copies = near_copies(distances_of(frames));
  for (int i = 0; i < 23; ++i) {
    const std::vector<int> expected = i == 3    ? std::vector{20}
                                      : i == 20 ? std::vector{3}
                                      : i == 7  ? std::vector{21, 22}
                                      : i == 21 ? std::vector{7, 22}
                                      : i == 22 ? std::vector{7, 21}
                                                : std::vector<int>{};
    EXPECT_EQ(copies[static_cast<std::size_t>(i)], expected) << i;
  }
}

// Separate frames have none, however few or many there are.
TEST(NearCopies, FindsNoneAmongSeparateFrames) {
  for (const int count : {0, 1, 2, 3, 4, 5, 8, 16, 60}) {
    for (const auto& copies : near_copies(distances_of(random_frames(count, 100)))) {
      EXPECT_TRUE(copies.empty()) << count;
    }
  }
}

// Never more than a quarter of all frames, the nearest ones, so that enough is left for a fit.
TEST(NearCopies, LeaveMostFramesIn) {
  for (const int count : {5, 8, 10, 12, 40}) {
    Frames frames = random_frames(count - 3, 500);
    for (std::uint32_t i = 1; i <= 3; ++i) frames.push_back(nearly(frames[0], 0.05F * static_cast<float>(i), i));
    const std::vector<int> expected = count == 5   ? std::vector{2}
                                      : count < 12 ? std::vector{count - 3, count - 2}
                                                   : std::vector{count - 3, count - 2, count - 1};
    const Copies copies = near_copies(distances_of(frames));
    EXPECT_EQ(copies[0], expected) << count;
    for (const auto& own : copies) EXPECT_LE(own.size(), expected.size()) << count;
  }
}

// Many variants of few pictures hide behind each other; among separate images they are seen.
TEST(NearCopies, FindsManyVariantsOfFewImages) {
  for (const auto& [pictures, variants] : {std::pair{5, 8}, {4, 10}, {3, 4}, {2, 2}}) {
    const Frames once = random_frames(pictures, 700);
    Frames frames;
    for (int i = 0; i < pictures * variants; ++i) {
      frames.push_back(nearly(once[static_cast<std::size_t>(i / variants)], 0.2F, static_cast<std::uint32_t>(i)));
    }
    const Copies copies = copied_images(distances_of(frames));
    for (int i = 0; i < pictures * variants; ++i) {
      std::vector<int> expected;
      for (int j = i / variants * variants; j < (i / variants + 1) * variants; ++j) {
        if (j != i) expected.push_back(j);
      }
      EXPECT_EQ(copies[static_cast<std::size_t>(i)], expected) << pictures << " pictures, image " << i;
    }
  }
  for (const int count : {0, 1, 2, 3, 4, 5, 8, 16, 60}) {
    for (const auto& copies : copied_images(distances_of(random_frames(count, 100)))) EXPECT_TRUE(copies.empty());
  }
}

// A loop: every frame of the second and third round, and none of the first, also where the rounds are not exactly
// alike.
TEST(RepeatedFrames, FindsTheRoundsOfALoop) {
  for (const float noise : {0.0F, 0.05F}) {
    const Frames round = random_walk(40, 70);
    Frames frames;
    for (int i = 0; i < 120; ++i) {
      frames.push_back(nearly(round[static_cast<std::size_t>(i % 40)], noise, static_cast<std::uint32_t>(i)));
    }
    std::vector<int> expected(80);
    std::iota(expected.begin(), expected.end(), 40);
    EXPECT_EQ(repeated_frames(distances_of(frames)), expected) << noise;
  }
}

// A single passage shown again, in the middle of a stream.
TEST(RepeatedFrames, FindsAPassage) {
  Frames frames = random_walk(60, 200);
  for (int i = 0; i < 6; ++i) frames[static_cast<std::size_t>(40 + i)] = frames[static_cast<std::size_t>(10 + i)];
  EXPECT_EQ(repeated_frames(distances_of(frames)), (std::vector<int>{40, 41, 42, 43, 44, 45}));
}

// Neighbours resemble each other and are no repetition; neither are frames that have nothing to do with each other, nor
// a picture that does not change but for its noise.
TEST(RepeatedFrames, FindsNoneInAStreamThatGoesOn) {
  for (const int count : {0, 1, 3, 4, 10, 60, 128}) {
    EXPECT_EQ(repeated_frames(distances_of(random_walk(count, 300))), std::vector<int>{}) << count;
    EXPECT_EQ(repeated_frames(distances_of(random_frames(count, 300))), std::vector<int>{}) << count;
  }
}

// A lamp that blinks is no loop: its pictures resemble earlier ones as much as those just before them.
TEST(RepeatedFrames, FindsNoneWhereSomethingBlinks) {
  for (const int period : {2, 3}) {
    Frames frames = random_frames(60, 600);
    for (int i = 0; i < 60; i += period) {
      for (float& value : frames[static_cast<std::size_t>(i)]) value += 20;
    }
    EXPECT_EQ(repeated_frames(distances_of(frames)), std::vector<int>{}) << period;
  }
}

}  // namespace
}  // namespace padim::test
