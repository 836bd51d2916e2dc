#include "statistics/segments.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <optional>
#include <vector>

#include "base/half.h"
#include "base/packed_triangle.h"
#include "packed.h"
#include "random_numbers.h"

namespace padim::test {
namespace {

constexpr int kPositions = 2;
constexpr int kDimensions = 3;
constexpr std::size_t kSize = kPositions * kDimensions;

// Frame `n` of the stream; its first value is the frame's number, that of its copy the negative one less 1. Halves hold
// both exactly up to 2048.
std::vector<float> embedding(int n) {
  auto values = normal_floats(kSize, static_cast<std::uint32_t>(n + 5000));
  values[0] = static_cast<float>(n);
  return values;
}

int copy_of(int n) { return -n - 1; }

std::vector<int> range(std::int64_t first, std::int64_t last) {
  std::vector<int> frames(static_cast<std::size_t>(last - first));
  std::iota(frames.begin(), frames.end(), static_cast<int>(first));
  return frames;
}

void append(Segments& segments, int first, int last, WorkerPool& pool) {
  for (int n = first; n < last; ++n) segments.append(embedding(n), Segments::Kind::real, 1, pool);
}

Segments stream(int frames, Segments::Limits limits, WorkerPool& pool) {
  Segments segments(kPositions, kDimensions, limits);
  append(segments, 0, frames, pool);
  return segments;
}

// Every frame with its copy, except those whose number is a multiple of 3.
bool has_copy(int n) { return n % 3 != 0; }

void append_with_copies(Segments& segments, int first, int last, WorkerPool& pool) {
  for (int n = first; n < last; ++n) {
    segments.append(embedding(n), Segments::Kind::real, 1, pool);
    if (has_copy(n)) segments.append(embedding(copy_of(n)), Segments::Kind::augmented, 1, pool);
  }
}

// Numbers of the stored embeddings, copies included; each embedding must be its frame's to half precision.
std::vector<int> stored(const SegmentView& view) {
  std::vector<int> numbers;
  for (std::size_t at = 0; at < view.stored.size(); at += kSize) {
    numbers.push_back(static_cast<int>(half_to_float(view.stored[at])));
    const auto exact = embedding(numbers.back());
    for (std::size_t j = 0; j < kSize; ++j) {
      EXPECT_NEAR(half_to_float(view.stored[at + j]), exact[j], std::abs(exact[j]) / 2048 + 1e-7F) << numbers.back();
    }
  }
  return numbers;
}

std::vector<std::vector<int>> all_stored(const Segments& segments) {
  std::vector<std::vector<int>> numbers;
  for (int i = 0; i < segments.size(); ++i) numbers.push_back(stored(segments.view(i)));
  return numbers;
}

std::vector<std::int64_t> lengths(const Segments& segments) {
  std::vector<std::int64_t> result;
  for (int i = 0; i < segments.size(); ++i) result.push_back(segments.view(i).frames);
  return result;
}

// Mean and co-moment of the given embeddings at each position, in double precision. weights: of each; empty: all 1.
void expect_statistics(const GaussianView& view, const std::vector<int>& numbers, std::vector<double> weights = {}) {
  if (weights.empty()) weights.assign(numbers.size(), 1);
  const Eigen::Map<const Eigen::RowVectorXd> weight(weights.data(), static_cast<Eigen::Index>(weights.size()));
  ASSERT_NEAR(view.count, weight.sum(), 1e-6 * weight.sum());
  for (int p = 0; p < kPositions; ++p) {
    Eigen::MatrixXd x(numbers.size(), kDimensions);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const auto values = embedding(numbers[i]);
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

// Streams of any length fall into contiguous segments, 4 to 8 of them from the eighth frame on, each with an evenly
// thinned store that holds its first frame; the statistics are those of all frames.
TEST(Segments, CutAnyStreamIntoBlocks) {
  WorkerPool pool(1);
  constexpr Segments::Limits kLimits{8, 48};
  for (const int frames : {1, 2, 3, 4, 7, 8, 9, 11, 12, 16, 17, 23, 31, 32, 33, 63, 64, 65, 100, 127, 128, 150, 500}) {
    const Segments settled = stream(frames, kLimits, pool).settled(pool);
    SCOPED_TRACE(frames);
    EXPECT_EQ(settled.frames(), frames);
    EXPECT_LE(settled.size(), 8);
    EXPECT_GE(settled.size(), std::min(frames, 4));
    expect_statistics(settled.statistics(), range(0, frames));
    std::int64_t first = 0;
    for (int i = 0; i < settled.size(); ++i) {
      const SegmentView view = settled.view(i);
      EXPECT_LE(view.frames, 2 * settled.capacity());
      EXPECT_EQ(view.weight, 1);
      EXPECT_FALSE(view.stretch);
      std::vector<int> expected;
      for (std::int64_t n = first; n < first + view.frames; n += view.stride) expected.push_back(static_cast<int>(n));
      EXPECT_EQ(stored(view), expected);
      EXPECT_EQ(std::vector<std::uint8_t>(view.copies.begin(), view.copies.end()),
                std::vector<std::uint8_t>(expected.size(), 0));
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
    const std::vector<std::int64_t> found = lengths(stream(frames, {8, 16}, pool).settled(pool));
    EXPECT_LE(*std::max_element(found.begin(), found.end()), 2 * *std::min_element(found.begin(), found.end()) + 1)
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
    EXPECT_EQ(settled.frames(), frames);
    expect_statistics(settled.statistics(), range(0, frames));
  }
}

// A copy is stored behind its frame, stays and goes with it, and counts for the statistics but not as a frame.
TEST(Segments, ThinCopiesWithTheirFrames) {
  WorkerPool pool(1);
  for (const int frames : {1, 2, 7, 13, 48, 49, 100, 333}) {
    SCOPED_TRACE(frames);
    Segments segments(kPositions, kDimensions, {8, 48});
    append_with_copies(segments, 0, frames, pool);
    const Segments settled = segments.settled(pool);
    EXPECT_EQ(settled.frames(), frames);
    std::vector<int> everything = range(0, frames);
    for (int n = 0; n < frames; ++n) {
      if (has_copy(n)) everything.push_back(copy_of(n));
    }
    expect_statistics(settled.statistics(), everything);
    std::int64_t first = 0;
    for (int i = 0; i < settled.size(); ++i) {
      const SegmentView view = settled.view(i);
      std::vector<int> expected;
      std::vector<std::uint8_t> copies;
      for (std::int64_t n = first; n < first + view.frames; n += view.stride) {
        expected.push_back(static_cast<int>(n));
        copies.push_back(has_copy(static_cast<int>(n)) ? 1 : 0);
        if (copies.back() != 0) expected.push_back(copy_of(static_cast<int>(n)));
      }
      EXPECT_EQ(stored(view), expected);
      EXPECT_EQ(std::vector<std::uint8_t>(view.copies.begin(), view.copies.end()), copies);
      EXPECT_LE(copies.size(), 6U);
      first += view.frames;
    }
  }
}

// Copies are stored behind their frame, thinned with it, and count what they are said to.
TEST(Segments, StoreTheCopiesOfEachFrame) {
  WorkerPool pool(1);
  Segments segments(kPositions, kDimensions, {4, 16});
  Gaussian expected(kPositions, kDimensions);
  const auto copies_of = [](int n) { return std::vector<int>{copy_of(n), copy_of(n + 100), copy_of(n + 200)}; };
  for (int n = 0; n < 30; ++n) {
    std::vector<int> shown = copies_of(n);
    shown.insert(shown.begin(), n);
    auto kind = Segments::Kind::real;
    for (const int i : shown) {
      segments.append(embedding(i), std::exchange(kind, Segments::Kind::augmented), 0.25, pool);
      expected.add(embedding(i), std::vector<float>{0.25F}, pool);
    }
  }
  const Segments settled = segments.settled(pool);
  EXPECT_EQ(settled.frames(), 30);
  EXPECT_DOUBLE_EQ(settled.statistics().count, 30);
  for (std::size_t i = 0; i < expected.mean().size(); ++i) {
    EXPECT_NEAR(settled.statistics().mean[i], expected.mean()[i], 1e-3F);
  }
  for (int k = 0; k < settled.size(); ++k) {
    EXPECT_TRUE(std::ranges::all_of(settled.view(k).copies, [](int copies) { return copies == 3; }));
    const std::vector<int> numbers = stored(settled.view(k));
    for (std::size_t i = 0; i < numbers.size(); i += 4) {
      EXPECT_EQ(std::vector<int>(numbers.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                                 numbers.begin() + static_cast<std::ptrdiff_t>(i) + 4),
                copies_of(numbers[i]));
    }
  }
}

// Where thresholds are not calibrated nothing is stored, copies included, and one place takes all frames.
TEST(Segments, StoreNothingUnlessAsked) {
  WorkerPool pool(1);
  Segments segments(kPositions, kDimensions, {1, 0});
  append_with_copies(segments, 0, 50, pool);
  segments.close_segment();
  append(segments, 50, 60, pool);
  const Segments settled = segments.settled(pool);
  ASSERT_EQ(settled.size(), 1);
  EXPECT_TRUE(settled.view(0).stored.empty());
  EXPECT_TRUE(settled.view(0).copies.empty());
  EXPECT_EQ(settled.frames(), 60);
  EXPECT_GT(settled.statistics().count, 60);
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
  EXPECT_EQ(lengths(a), lengths(b));
  EXPECT_EQ(all_stored(a), all_stored(b));
  expect_statistics(a.statistics(), range(0, 77));
}

// A copy and its original go separate ways, whichever of them goes on, although they share their memory.
TEST(Segments, CopiesAreIndependent) {
  WorkerPool pool(1);
  Segments original = stream(20, {8, 24}, pool);
  original.flush(pool);
  const auto before = all_stored(original);
  Segments copy = original;
  EXPECT_EQ(copy.view(0).stored.data(), original.view(0).stored.data()) << "copied before it had to be";
  EXPECT_EQ(copy.statistics().mean.data(), original.statistics().mean.data()) << "copied before it had to be";
  append(copy, 20, 60, pool);
  copy.forget(0.5);
  copy.flush(pool);
  EXPECT_EQ(original.frames(), 20);
  EXPECT_EQ(all_stored(original), before);
  expect_statistics(original.statistics(), range(0, 20));
  EXPECT_EQ(copy.frames(), 60);
  expect_statistics(copy.statistics(), range(0, 60), std::vector<double>(60, 0.5));

  Segments kept = original;
  append(original, 20, 40, pool);
  original.flush(pool);
  EXPECT_EQ(all_stored(kept), before);
  expect_statistics(kept.statistics(), range(0, 20));
  expect_statistics(original.statistics(), range(0, 40));
}

// Forgetting weighs each frame by its age, those that wait for a batched update like all others, whenever one looks;
// a segment weighs what its frames weigh on average.
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
    const Segments settled = segments.settled(pool);
    expect_statistics(settled.statistics(), range(0, frames), weights);
    EXPECT_EQ(settled.frames(), frames);
    auto next = weights.begin();
    for (int i = 0; i < settled.size(); ++i) {
      const auto length = static_cast<std::ptrdiff_t>(settled.view(i).frames);
      const double expected = std::accumulate(next, next + length, 0.0) / static_cast<double>(length);
      EXPECT_NEAR(settled.view(i).weight, expected, 1e-6 * expected) << i;
      next += length;
    }
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
  segments.set_limits({1, 2});
  EXPECT_EQ(segments.size(), 1);
  EXPECT_GT(segments.view(0).weight, 0);
  EXPECT_GT(segments.statistics().count, 0.9);
  for (const float value : segments.statistics().comoment) EXPECT_TRUE(std::isfinite(value));
  for (const float value : segments.statistics().mean) EXPECT_TRUE(std::isfinite(value));
}

// Limits that shrink merge and thin what there is, and hold from then on; limits that grow leave it as it is.
TEST(Segments, TakeNewLimits) {
  WorkerPool pool(1);
  Segments few(kPositions, kDimensions, {8, 48});
  append(few, 0, 100, pool);
  few.set_limits({3, 6});
  EXPECT_LE(few.size(), 3);
  append(few, 100, 300, pool);
  few.flush(pool);
  EXPECT_LE(few.size(), 3);
  for (const auto& numbers : all_stored(few)) EXPECT_LE(numbers.size(), 2U);
  expect_statistics(few.statistics(), range(0, 300));
  few.set_limits({3, 0});
  for (const auto& numbers : all_stored(few)) EXPECT_TRUE(numbers.empty());
  EXPECT_EQ(few.frames(), 300);

  Segments many = stream(100, {3, 6}, pool);
  const auto before = all_stored(many);
  many.set_limits({8, 48});
  EXPECT_EQ(all_stored(many), before);
  append(many, 100, 600, pool);
  many.flush(pool);
  EXPECT_GT(many.size(), 3);
  EXPECT_GT(stored(many.view(many.size() - 2)).size(), 2U);
  expect_statistics(many.statistics(), range(0, 600));
}

// Memory does not grow with the stream: what is kept after a thousand frames is what a hundred left at most.
TEST(Segments, KeepNoMoreForLongStreams) {
  WorkerPool pool(1);
  for (const int frames : {100, 1000, 3000}) {
    const Segments settled = stream(frames, {8, 40}, pool).settled(pool);
    std::size_t sum = 0;
    for (int i = 0; i < settled.size(); ++i) sum += settled.view(i).stored.size() / kSize;
    EXPECT_LE(sum, 40U);
    EXPECT_GE(sum, 12U);
  }
}

// A stretch is a segment of its own however short it stays, is marked, and is never joined because it is short.
TEST(Segments, KeepStretchesApart) {
  WorkerPool pool(1);
  Segments segments = stream(64, {8, 48}, pool);
  segments.set_limits({9, 54});
  segments.begin_stretch();
  append(segments, 64, 66, pool);
  EXPECT_EQ(segments.settled(pool).view(segments.size() - 1).frames, 2);
  EXPECT_TRUE(segments.view(segments.size() - 1).stretch);
  segments.close_segment();
  append(segments, 66, 67, pool);
  ASSERT_EQ(segments.view(segments.size() - 1).frames, 1);
  EXPECT_FALSE(segments.view(segments.size() - 1).stretch);
  const SegmentView stretch = segments.view(segments.size() - 2);
  EXPECT_TRUE(stretch.stretch);
  EXPECT_EQ(stored(stretch), range(64, 66));
  expect_statistics(segments.settled(pool).statistics(), range(0, 67));
}

// A stretch longer than the other segments is one segment all the same, whose store is thinned.
TEST(Segments, KeepALongStretchTogether) {
  WorkerPool pool(1);
  Segments segments = stream(8, {8, 48}, pool);
  segments.set_limits({9, 54});
  segments.begin_stretch();
  append(segments, 8, 40, pool);
  segments.close_segment();
  const SegmentView stretch = segments.view(segments.size() - 1);
  EXPECT_TRUE(stretch.stretch);
  EXPECT_EQ(stretch.frames, 32);
  EXPECT_EQ(stored(stretch), (std::vector<int>{8, 16, 24, 32}));
  for (int i = 0; i + 1 < segments.size(); ++i) EXPECT_FALSE(segments.view(i).stretch);
}

// What follows follows: frames, statistics and copies in order, and the other object stays as it was.
TEST(Segments, AbsorbAStream) {
  WorkerPool pool(1);
  for (const auto& [first, second] : {std::pair{64, 64}, {64, 16}, {9, 100}, {1, 1}, {0, 20}, {37, 91}}) {
    SCOPED_TRACE(std::to_string(first) + " + " + std::to_string(second));
    Segments whole = stream(first, {8, 48}, pool);
    Segments other(kPositions, kDimensions, {8, 48});
    append(other, first, first + second, pool);
    other.flush(pool);
    const auto before = all_stored(other);
    whole.absorb(other, pool);
    append(whole, first + second, first + second + 3, pool);
    const Segments settled = whole.settled(pool);
    EXPECT_EQ(all_stored(other), before);
    EXPECT_EQ(other.frames(), second);
    expect_statistics(other.statistics(), range(first, first + second));
    EXPECT_EQ(settled.frames(), first + second + 3);
    EXPECT_LE(settled.size(), 8);
    expect_statistics(settled.statistics(), range(0, first + second + 3));
    int last = -1;
    for (const auto& numbers : all_stored(settled)) {
      EXPECT_LE(numbers.size(), 6U);
      for (const int n : numbers) {
        EXPECT_GT(n, last);
        last = n;
      }
    }
  }
}

// Lengths that fit: two halves of a stream are the stream.
TEST(Segments, AbsorbTheSecondHalf) {
  WorkerPool pool(1);
  Segments halves = stream(64, {8, 48}, pool);
  Segments second(kPositions, kDimensions, {8, 48});
  append(second, 64, 128, pool);
  halves.absorb(second, pool);
  const Segments whole = stream(128, {8, 48}, pool);
  EXPECT_EQ(lengths(halves), lengths(whole));
  EXPECT_EQ(all_stored(halves), all_stored(whole));
}

// Statistics and stores as a file would hold them.
struct Elsewhere {
  explicit Elsewhere(const Segments& segments) : statistics(segments.statistics()), capacity(segments.capacity()) {
    for (int i = 0; i < segments.size(); ++i) {
      const SegmentView view = segments.view(i);
      halves.emplace_back(view.stored.begin(), view.stored.end());
      copies.emplace_back(view.copies.begin(), view.copies.end());
      views.push_back(view);
    }
    for (std::size_t i = 0; i < views.size(); ++i) {
      views[i].stored = halves[i];
      views[i].copies = copies[i];
    }
  }

  Gaussian statistics;
  std::int64_t capacity;
  std::vector<std::vector<std::uint16_t>> halves;
  std::vector<std::vector<std::uint8_t>> copies;
  std::vector<SegmentView> views;
};

// What was kept elsewhere goes on as if it had never stopped, leaves the memory that it came from alone and keeps it
// alive for as long as it needs it.
TEST(Segments, GoOnFromElsewhere) {
  WorkerPool pool(1);
  for (const int frames : {1, 8, 20, 77, 128}) {
    SCOPED_TRACE(frames);
    Segments begun(kPositions, kDimensions, {8, 48});
    append_with_copies(begun, 0, frames, pool);
    begun.flush(pool);
    auto memory = std::make_shared<Elsewhere>(begun);
    const auto before = memory->halves;
    const std::weak_ptr<Elsewhere> alive = memory;
    std::optional<Segments> resumed(std::in_place, memory->statistics.view(), memory->views, memory->capacity, memory,
                                    Segments::Limits{8, 48});
    EXPECT_EQ(resumed->view(0).stored.data(), memory->halves[0].data()) << "copied before it had to be";
    append_with_copies(*resumed, frames, 200, pool);
    const Segments settled = resumed->settled(pool);
    EXPECT_EQ(memory->halves, before);
    expect_statistics(memory->statistics.view(), [&] {
      std::vector<int> numbers = range(0, frames);
      for (int n = 0; n < frames; ++n) {
        if (has_copy(n)) numbers.push_back(copy_of(n));
      }
      return numbers;
    }());
    Segments whole(kPositions, kDimensions, {8, 48});
    append_with_copies(whole, 0, 200, pool);
    const Segments expected = whole.settled(pool);
    EXPECT_EQ(lengths(settled), lengths(expected));
    EXPECT_EQ(all_stored(settled), all_stored(expected));
    memory.reset();
    EXPECT_FALSE(alive.expired());
    expect_statistics(settled.statistics(), [&] {
      std::vector<int> numbers = range(0, 200);
      for (int n = 0; n < 200; ++n) {
        if (has_copy(n)) numbers.push_back(copy_of(n));
      }
      return numbers;
    }());
  }
}

// More segments than there are places now are merged, from memory that nobody may write to.
TEST(Segments, FitWhatComesFromElsewhere) {
  WorkerPool pool(1);
  Segments begun = stream(100, {8, 48}, pool);
  begun.flush(pool);
  const auto memory = std::make_shared<Elsewhere>(begun);
  const auto before = memory->halves;
  const Segments few(memory->statistics.view(), memory->views, memory->capacity, memory, {3, 12});
  EXPECT_LE(few.size(), 3);
  EXPECT_EQ(few.frames(), 100);
  for (const auto& numbers : all_stored(few)) EXPECT_LE(numbers.size(), 4U);
  expect_statistics(few.statistics(), range(0, 100));
  EXPECT_EQ(memory->halves, before);
  Segments joined = stream(10, {8, 48}, pool);
  joined.absorb(Segments(memory->statistics.view(), memory->views, memory->capacity, memory, {8, 48}), pool);
  EXPECT_EQ(joined.frames(), 110);
  EXPECT_EQ(memory->halves, before);
}

// Eight places where their statistics fit into the memory allowed, and one more set for merges; a thinned store that
// copies share with their frames.
TEST(Segments, HaveLimitsByMemory) {
  const std::int64_t each = 4 * 250 * (256 + 256 * 257 / 2);
  const struct {
    std::int64_t allowed;
    int places;
  } cases[] = {{std::int64_t{1} << 40, 8}, {9 * each, 8}, {9 * each - 1, 4}, {5 * each, 4}, {5 * each - 1, 3}, {1, 3}};
  for (const auto& c : cases) {
    const Segments::Limits plain = segment_limits(250, 256, 0, c.allowed);
    EXPECT_EQ(plain.count, c.places) << c.allowed;
    EXPECT_EQ(plain.stored, 256);
    EXPECT_EQ(segment_limits(250, 256, 1, c.allowed).stored, 128);
    EXPECT_EQ(segment_limits(250, 256, 8, c.allowed).stored, 32);
  }
  // 128 MiB hold 32 embeddings of 4096 positions and 512 dimensions, but never less than two a place.
  EXPECT_EQ(segment_limits(4096, 512, 0, std::int64_t{1} << 40).stored, 32);
  EXPECT_EQ(segment_limits(4096, 512, 1, std::int64_t{1} << 40).stored, 16);
  EXPECT_EQ(segment_limits(16384, 1024, 1, std::int64_t{1} << 50).stored, 16);
}

}  // namespace
}  // namespace padim::test
