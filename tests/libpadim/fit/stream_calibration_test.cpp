#include "fit/stream_calibration.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <vector>

#include "expect_error.h"
#include "plain_model.h"

namespace padim::test {
namespace {

constexpr double kFactor = 1.7841671074423933;  // of the level at a false-alarm rate of 0.01

ModelInfo stream_info() { return plain_info({4, 3}, 6, SourceKind::stream); }

// Frames whose light drifts.
Frames drifting(const ModelInfo& info, int count, std::uint32_t seed = 0) {
  Frames frames;
  for (int i = 0; i < count; ++i) {
    frames.push_back(shifted(noisy_frame(info, seed + static_cast<std::uint32_t>(i)), 0.03F * static_cast<float>(i)));
  }
  return frames;
}

Frames copies_of(const Frames& frames, float shift) {
  Frames copies;
  for (const auto& frame : frames) copies.push_back(shifted(frame, shift));
  return copies;
}

Segments stream(const Frames& frames, const ModelInfo& info, Segments::Limits limits, const Frames& copies = {}) {
  WorkerPool pool(1);
  Segments segments(info.positions.width * info.positions.height, info.dimensions, limits);
  append(segments, frames, pool, copies);
  return segments;
}

Calibration calibrated(const Segments& segments, const ModelInfo& info) {
  WorkerPool pool(1);
  const Segments settled = segments.settled(pool);
  const WhitenedGaussians model(settled.statistics(), info, pool);
  return calibrate_stream(settled, model, info, pool, [](double) {});
}

// What the scores are: of 10 frames of each part, by a plain model of the parts beyond the gap.
struct Expected {
  std::vector<float> originals;
  std::vector<float> copies;

  [[nodiscard]] double threshold() const {
    const auto mean = [](const std::vector<float>& scores) {
      return scores.empty() ? 0
                            : std::accumulate(scores.begin(), scores.end(), 0.0) / static_cast<double>(scores.size());
    };
    return kFactor * std::max(mean(originals), mean(copies));
  }
};

Expected held_out(const Frames& frames, const Frames& copies, const std::vector<int>& lengths, int gap,
                  const ModelInfo& info, const std::vector<double>& weights = {}) {
  std::vector<int> part;
  for (std::size_t k = 0; k < lengths.size(); ++k) {
    part.insert(part.end(), static_cast<std::size_t>(lengths[k]), static_cast<int>(k));
  }
  Expected result;
  int first = 0;
  for (std::size_t k = 0; k < lengths.size(); ++k) {
    Frames fitted;
    std::vector<double> counts;
    // Where there is nothing beyond the gap, the farthest part; of two, the first.
    const int reach = std::max(static_cast<int>(k), static_cast<int>(lengths.size() - 1 - k));
    const int farthest = static_cast<int>(k) == reach ? 0 : static_cast<int>(lengths.size()) - 1;
    for (std::size_t i = 0; i < frames.size(); ++i) {
      if (reach > gap ? std::abs(part[i] - static_cast<int>(k)) <= gap : part[i] != farthest) continue;
      const double count = weights.empty() ? 1 : weights[i];
      fitted.push_back(frames[i]);
      counts.push_back(count);
      if (copies.empty()) continue;
      fitted.push_back(copies[i]);
      counts.push_back(count);
    }
    const double scale = static_cast<double>(counts.size()) / std::accumulate(counts.begin(), counts.end(), 0.0);
    for (double& count : counts) count *= scale;
    const PlainModel model(fitted, info, counts);
    const int scored = std::min(lengths[k], 10);
    for (int i = 0; i < scored; ++i) {
      const auto at = static_cast<std::size_t>(first + i * lengths[k] / scored);
      result.originals.push_back(model.score(frames[at]));
      if (!copies.empty()) result.copies.push_back(model.score(copies[at]));
    }
    first += lengths[k];
  }
  return result;
}

void expect_equal(const Calibration& found, const Expected& expected) {
  ASSERT_EQ(found.scores.size(), expected.originals.size());
  for (std::size_t i = 0; i < found.scores.size(); ++i) {
    EXPECT_NEAR(found.scores[i] / expected.originals[i], 1, 2e-3) << i;
  }
  EXPECT_NEAR(found.threshold / expected.threshold(), 1, 2e-3);
  EXPECT_EQ(found.rule, "stream");
  EXPECT_EQ(found.source, SourceKind::stream);
}

// Each segment is scored by a model of the segments that lie more than the gap away: (K + 1) / 4, and one more for a
// short stream. Fits of the test's own in double precision.
TEST(StreamCalibration, HoldsSegmentsOutWithAGap) {
  const struct {
    int frames;
    std::vector<int> lengths;
    int gap;
  } cases[] = {{32, std::vector<int>(8, 4), 3},  {24, std::vector<int>(6, 4), 2},   {16, std::vector<int>(8, 2), 3},
               {80, std::vector<int>(5, 16), 2}, {128, std::vector<int>(8, 16), 2}, {96, std::vector<int>(6, 16), 2},
               {112, std::vector<int>(7, 16), 2}};
  for (const auto& c : cases) {
    for (const bool augmented : {false, true}) {
      SCOPED_TRACE(std::to_string(c.frames) + (augmented ? " frames with copies" : " frames"));
      const ModelInfo info = stream_info();
      const Frames frames = drifting(info, c.frames);
      const Frames copies = augmented ? copies_of(frames, 0.5F) : Frames{};
      const Calibration found = calibrated(stream(frames, info, {8, 128}, copies), info);
      EXPECT_EQ(found.segments, static_cast<int>(c.lengths.size()));
      expect_equal(found, held_out(frames, copies, c.lengths, c.gap, info));
    }
  }
}

// Copies that are farther off than the frames themselves set the level.
TEST(StreamCalibration, TakesTheLevelOfTheCopies) {
  const ModelInfo info = stream_info();
  const Frames frames = noisy_frames(info, 32);
  Frames copies;
  for (std::size_t i = 0; i < frames.size(); ++i) copies.push_back(shifted(frames[i], i % 2 == 0 ? 2.0F : -2.0F));
  const Calibration found = calibrated(stream(frames, info, {8, 128}, copies), info);
  const double level = std::accumulate(found.scores.begin(), found.scores.end(), 0.0) / 32;
  EXPECT_GT(found.threshold, 1.05 * kFactor * level);
}

// Where nothing lies beyond the gap the farthest segments serve; two segments score each other.
TEST(StreamCalibration, FallsBackToTheFarthest) {
  const ModelInfo info = stream_info();
  const Frames frames = drifting(info, 24);
  expect_equal(calibrated(stream(frames, info, {2, 48}), info), held_out(frames, {}, {16, 8}, 1, info));
  const Frames few = drifting(info, 6);
  const Frames copies = copies_of(few, 0.5F);
  const Calibration found = calibrated(stream(few, info, {8, 128}, copies), info);
  EXPECT_EQ(found.scores.size(), 6U);
  EXPECT_TRUE(std::isfinite(found.threshold));
}

// The smallest streams: two frames, which nobody can hold out without copies, have the threshold of two images.
TEST(StreamCalibration, WorksFromTwoFramesOn) {
  const ModelInfo info = stream_info();
  for (int count = 2; count <= 9; ++count) {
    const Frames frames = drifting(info, count);
    for (const Frames& copies : {Frames{}, copies_of(frames, 0.5F)}) {
      const Calibration found = calibrated(stream(frames, info, {8, 128}, copies), info);
      SCOPED_TRACE(count);
      EXPECT_EQ(found.source, SourceKind::stream);
      EXPECT_EQ(found.scores.size(), static_cast<std::size_t>(count));
      EXPECT_TRUE(std::isfinite(found.threshold));
      EXPECT_GT(found.threshold, std::accumulate(found.scores.begin(), found.scores.end(), 0.0) / count);
      EXPECT_LT(found.threshold, 100);
    }
  }
}

// A learned stretch is scored by everything else, belongs to the model of every other segment however near, and its
// level stands by itself.
TEST(StreamCalibration, ScoresAStretchByTheRest) {
  WorkerPool pool(1);
  const ModelInfo info = stream_info();
  const Frames frames = drifting(info, 32);
  Frames shown;
  for (std::uint32_t i = 0; i < 8; ++i) shown.push_back(shifted(noisy_frame(info, 700 + i), 4));
  Segments segments = stream(frames, info, {8, 128});
  segments.set_limits({9, 144});
  segments.begin_stretch();
  append(segments, shown, pool);
  segments.close_segment();
  const Calibration found = calibrated(segments, info);
  ASSERT_EQ(found.scores.size(), 40U);
  EXPECT_EQ(found.segments, 9);
  EXPECT_EQ(found.rule, "stretch");
  const PlainModel rest(frames, info);
  for (std::size_t i = 0; i < 8; ++i) EXPECT_NEAR(found.scores[32 + i] / rest.score(shown[i]), 1, 2e-3);
  // The first of 8 regular segments: beyond a gap of 3 lie frames 16 to 31.
  Frames beyond(frames.begin() + 16, frames.end());
  beyond.insert(beyond.end(), shown.begin(), shown.end());
  const PlainModel model(beyond, info);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(found.scores[i] / model.score(frames[i]), 1, 2e-3);
}

// What was forgotten counts less in the held-out models, too: as much as its segment does on average.
TEST(StreamCalibration, WeighsSegmentsByTheirAge) {
  const ModelInfo info = stream_info();
  const Frames frames = drifting(info, 32);
  WorkerPool pool(1);
  Segments segments = stream(Frames(frames.begin(), frames.begin() + 16), info, {8, 128});
  segments.set_limits({16, 256});
  segments.forget(0.25);
  append(segments, Frames(frames.begin() + 16, frames.end()), pool);
  std::vector<int> lengths;
  for (int k = 0; k < segments.size(); ++k) lengths.push_back(static_cast<int>(segments.view(k).frames));
  ASSERT_GE(lengths.size(), 4U);
  std::vector<double> weights(16, 0.25);
  weights.resize(32, 1);
  const int gap = (static_cast<int>(lengths.size()) + 1) / 4 + 1;
  expect_equal(calibrated(segments, info), held_out(frames, {}, lengths, gap, info, weights));
}

// However much was forgotten, the threshold is one: what little the old segments weigh, they are all that the newest
// one can be scored by.
TEST(StreamCalibration, SurvivesForgetting) {
  const ModelInfo info = stream_info();
  const Frames frames = noisy_frames(info, 200);
  const double plain = calibrated(stream(frames, info, {8, 128}), info).threshold;
  WorkerPool pool(1);
  for (const double half_life : {1.0, 4.0, 30.0}) {
    Segments segments(12, 6, {8, 128});
    for (const auto& frame : frames) {
      segments.forget(std::exp2(-1 / half_life));
      append(segments, {frame}, pool);
    }
    const Calibration found = calibrated(segments, info);
    EXPECT_TRUE(std::isfinite(found.threshold));
    EXPECT_GT(found.threshold, 0.7 * plain) << half_life;
    EXPECT_LT(found.threshold, 2 * plain) << half_life;
  }
}

// Progress rises to less than 1, and what it throws comes out.
TEST(StreamCalibration, ReportsItsSteps) {
  WorkerPool pool(1);
  const ModelInfo info = stream_info();
  const Segments segments = stream(drifting(info, 32), info, {8, 128}).settled(pool);
  const WhitenedGaussians model(segments.statistics(), info, pool);
  std::vector<double> steps;
  (void)calibrate_stream(segments, model, info, pool, [&](double done) { steps.push_back(done); });
  EXPECT_EQ(steps.size(), 8U);
  EXPECT_TRUE(std::is_sorted(steps.begin(), steps.end()));
  EXPECT_LT(steps.back(), 1);
  expect_error(ErrorCode::cancelled, {"stop"}, [&] {
    (void)calibrate_stream(segments, model, info, pool, [](double) { throw Error(ErrorCode::cancelled, "stop"); });
  });
}

}  // namespace
}  // namespace padim::test
