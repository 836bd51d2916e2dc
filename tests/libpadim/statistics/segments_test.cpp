#include "statistics/segments.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "base/packed_triangle.h"
#include "packed.h"
#include "random_numbers.h"

namespace padim::test {
namespace {

constexpr int kPositions = 2;
constexpr int kDimensions = 3;
constexpr std::size_t kSize = kPositions * kDimensions;

// Frame `n` of the stream; its first value is the frame's number.
std::vector<float> embedding(int n) {
  auto values = normal_floats(kSize, static_cast<std::uint32_t>(n));
  values[0] = static_cast<float>(n);
  return values;
}

void append(Segments& segments, int first, int last, WorkerPool& pool) {
  for (int n = first; n < last; ++n) segments.append(embedding(n), Segments::Kind::real, pool);
}

Segments stream(int frames, Segments::Limits limits, WorkerPool& pool) {
  Segments segments(kPositions, kDimensions, limits);
  append(segments, 0, frames, pool);
  return segments;
}

// Frame numbers of the stored embeddings.
std::vector<int> stored_frames(const SegmentView& view) {
  std::vector<int> frames;
  for (std::size_t at = 0; at < view.stored.size(); at += kSize) frames.push_back(static_cast<int>(view.stored[at]));
  return frames;
}

// Mean and co-moment of the given frames at each position, in double precision. weights: per frame; empty: all 1.
void expect_statistics(const GaussianView& view, const std::vector<int>& frames, std::vector<double> weights = {}) {
  if (weights.empty()) weights.assign(frames.size(), 1);
  const Eigen::Map<const Eigen::RowVectorXd> weight(weights.data(), static_cast<Eigen::Index>(weights.size()));
  ASSERT_NEAR(view.count, weight.sum(), 1e-6 * weight.sum());
  for (int p = 0; p < kPositions; ++p) {
    Eigen::MatrixXd x(frames.size(), kDimensions);
    for (std::size_t i = 0; i < frames.size(); ++i) {
      const auto values = embedding(frames[i]);
      for (int j = 0; j < kDimensions; ++j) {
        x(static_cast<Eigen::Index>(i), j) = static_cast<double>(values[static_cast<std::size_t>(p * kDimensions + j)]);
      }
    }
    const Eigen::RowVectorXd mean = weight * x / weight.sum();
    const Eigen::MatrixXd comoment = (x.rowwise() - mean).transpose() * weight.asDiagonal() * (x.rowwise() - mean);
    for (int j = 0; j < kDimensions; ++j) {
      ASSERT_NEAR(static_cast<double>(view.mean[static_cast<std::size_t>(p * kDimensions + j)]), mean(j),
                  1e-5 * (1 + std::abs(mean(j))));
    }
    const auto packed =
        view.comoment.subspan(static_cast<std::size_t>(p) * triangle_size(kDimensions), triangle_size(kDimensions));
    ASSERT_LE((unpack_symmetric(packed, kDimensions) - comoment).cwiseAbs().maxCoeff(),
              1e-4 * comoment.diagonal().maxCoeff() + 1e-5);
  }
}

std::vector<int> range(std::int64_t first, std::int64_t last) {
  std::vector<int> frames(static_cast<std::size_t>(last - first));
  std::iota(frames.begin(), frames.end(), static_cast<int>(first));
  return frames;
}

// Streams of any length fall into contiguous segments, 4 to 8 of them from the eighth frame on, each with its own
// statistics and an evenly thinned store that holds its first frame.
TEST(Segments, CutAnyStreamIntoBlocks) {
  WorkerPool pool(1);
  constexpr Segments::Limits kLimits{8, 48};
  for (const int frames : {1, 2, 3, 4, 7, 8, 9, 11, 12, 16, 17, 23, 31, 32, 33, 63, 64, 65, 100, 127, 128, 150, 500}) {
    const Segments settled = stream(frames, kLimits, pool).settled(pool);
    SCOPED_TRACE(frames);
    EXPECT_EQ(settled.frames(), frames);
    EXPECT_LE(settled.size(), 8);
    EXPECT_GE(settled.size(), std::min(frames, 4));
    std::int64_t first = 0;
    for (int i = 0; i < settled.size(); ++i) {
      const SegmentView view = settled.view(i);
      expect_statistics(view.statistics, range(first, first + view.frames));
      EXPECT_LE(view.frames, 2 * settled.capacity());
      std::vector<int> expected;
      for (std::int64_t n = first; n < first + view.frames; n += view.stride) expected.push_back(static_cast<int>(n));
      EXPECT_EQ(stored_frames(view), expected);
      EXPECT_LE(expected.size(), 6U);
      EXPECT_TRUE(view.stride == 1 || 2 * expected.size() >= 6) << "thinned more than needed";
      first += view.frames;
    }
    EXPECT_EQ(first, frames);
  }
}

// No block is less than half as long as its neighbours, whatever the length of the stream.
TEST(Segments, KeepBlocksComparable) {
  WorkerPool pool(1);
  for (int frames = 8; frames < 200; ++frames) {
    const Segments settled = stream(frames, {8, 16}, pool).settled(pool);
    std::vector<std::int64_t> lengths;
    for (int i = 0; i < settled.size(); ++i) lengths.push_back(settled.view(i).frames);
    EXPECT_LE(*std::max_element(lengths.begin(), lengths.end()),
              2 * *std::min_element(lengths.begin(), lengths.end()) + 1)
        << frames;
  }
}

// With three places, for statistics that are too large for more, two or three segments remain.
TEST(Segments, WorkWithFewPlaces) {
  WorkerPool pool(1);
  for (const int frames : {3, 5, 10, 50, 97, 200}) {
    const Segments settled = stream(frames, {3, 9}, pool).settled(pool);
    EXPECT_GE(settled.size(), 2) << frames;
    EXPECT_LE(settled.size(), 3) << frames;
    std::int64_t first = 0;
    for (int i = 0; i < settled.size(); ++i) {
      expect_statistics(settled.view(i).statistics, range(first, first + settled.view(i).frames));
      first += settled.view(i).frames;
    }
  }
}

// The statistics of all other segments are those of their frames in one go.
TEST(Segments, MergeAllButOne) {
  WorkerPool pool(2);
  for (const int frames : {9, 40, 129}) {
    const Segments settled = stream(frames, {8, 16}, pool).settled(pool);
    Gaussian merged(kPositions, kDimensions);
    settled.merge_all_but(-1, merged, pool);
    expect_statistics(merged.view(), range(0, frames));
    std::int64_t first = 0;
    for (int i = 0; i < settled.size(); ++i) {
      auto others = range(0, frames);
      const auto begin = others.begin() + first;
      others.erase(begin, begin + settled.view(i).frames);
      settled.merge_all_but(i, merged, pool);
      expect_statistics(merged.view(), others);
      first += settled.view(i).frames;
    }
  }
}

// Settling is for a look: the stream goes on as if nobody had looked.
TEST(Segments, GoOnAfterALook) {
  WorkerPool pool(1);
  Segments looked(kPositions, kDimensions, {8, 24});
  for (int n = 0; n < 77; ++n) {
    append(looked, n, n + 1, pool);
    EXPECT_EQ(looked.settled(pool).frames(), n + 1);
  }
  const Segments a = looked.settled(pool);
  const Segments b = stream(77, {8, 24}, pool).settled(pool);
  ASSERT_EQ(a.size(), b.size());
  for (int i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a.view(i).frames, b.view(i).frames);
    EXPECT_EQ(stored_frames(a.view(i)), stored_frames(b.view(i)));
  }
}

// A copy and its original go separate ways.
TEST(Segments, CopiesAreIndependent) {
  WorkerPool pool(1);
  Segments original = stream(20, {8, 24}, pool);
  original.flush(pool);
  Segments copy = original;
  append(copy, 20, 60, pool);
  EXPECT_EQ(original.frames(), 20);
  EXPECT_EQ(copy.frames(), 60);
  Gaussian merged(kPositions, kDimensions);
  original.merge_all_but(-1, merged, pool);
  expect_statistics(merged.view(), range(0, 20));
  copy.flush(pool);
  copy.merge_all_but(-1, merged, pool);
  expect_statistics(merged.view(), range(0, 60));
}

// Forgetting weighs each frame by its age, those that wait for a batched update like all others, whenever one looks.
TEST(Segments, ForgetByAge) {
  WorkerPool pool(1);
  constexpr double kFactor = 0.9;
  for (const int frames : {2, 5, 16, 17, 23, 40, 64, 75}) {
    SCOPED_TRACE(frames);
    Segments segments(kPositions, kDimensions, {8, 24});
    std::vector<double> weights;
    for (int n = 0; n < frames; ++n) {
      segments.forget(kFactor);
      for (double& weight : weights) weight *= kFactor;
      append(segments, n, n + 1, pool);
      weights.push_back(1);
    }
    Gaussian merged(kPositions, kDimensions);
    const Segments settled = segments.settled(pool);
    settled.merge_all_but(-1, merged, pool);
    expect_statistics(merged.view(), range(0, frames), weights);
    EXPECT_EQ(settled.frames(), frames);
  }
}

// Whatever is forgotten, two segments stay, with weights that can be joined and read back from a file.
TEST(Segments, ForgetWithoutEnd) {
  WorkerPool pool(1);
  Segments segments = stream(40, {8, 24}, pool);
  for (int i = 0; i < 3000; ++i) segments.forget(0.5);
  append(segments, 40, 41, pool);
  segments.flush(pool);
  ASSERT_GE(segments.size(), 2);
  for (int i = 0; i < segments.size(); ++i) EXPECT_GT(segments.view(i).weight, 0);
  segments.set_limits({1, 0}, pool);
  for (const float value : segments.view(0).statistics.comoment) EXPECT_TRUE(std::isfinite(value));
}

// Limits that shrink merge and thin what there is, and hold from then on; limits that grow leave it as it is.
TEST(Segments, TakeNewLimits) {
  WorkerPool pool(1);
  const Segments whole = stream(100, {8, 48}, pool);
  const auto expect_whole = [&](const Segments& segments, int frames) {
    Gaussian merged(kPositions, kDimensions);
    segments.merge_all_but(-1, merged, pool);
    expect_statistics(merged.view(), range(0, frames));
  };
  Segments few = whole;
  few.set_limits({3, 6}, pool);
  EXPECT_LE(few.size(), 3);
  expect_whole(few, 100);
  append(few, 100, 300, pool);
  few.flush(pool);
  EXPECT_LE(few.size(), 3);
  for (int i = 0; i < few.size(); ++i) EXPECT_LE(few.view(i).stored.size(), 2 * kSize);
  expect_whole(few, 300);

  Segments many = stream(100, {3, 6}, pool);
  const int before = many.size();
  many.set_limits({8, 48}, pool);
  EXPECT_EQ(many.size(), before);
  append(many, 100, 600, pool);
  many.flush(pool);
  EXPECT_GT(many.size(), 3);
  expect_whole(many, 600);
  EXPECT_GT(many.view(many.size() - 2).stored.size(), 2 * kSize);
}

// Memory does not grow with the stream: what is kept after a thousand frames is what a hundred left at most.
TEST(Segments, KeepNoMoreForLongStreams) {
  WorkerPool pool(1);
  const auto kept = [&](int frames) {
    const Segments settled = stream(frames, {8, 40}, pool).settled(pool);
    std::size_t sum = 0;
    for (int i = 0; i < settled.size(); ++i) sum += stored_frames(settled.view(i)).size();
    return sum;
  };
  for (const int frames : {100, 1000, 3000}) {
    EXPECT_LE(kept(frames), 40U);
    EXPECT_GE(kept(frames), 12U);
  }
}

}  // namespace
}  // namespace padim::test
