#include "fit/copies_gain.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "plain_model.h"

namespace padim::test {
namespace {

constexpr int kCopies = 8;

ModelInfo info_of(SourceKind source) { return plain_info({4, 3}, 6, source); }

// The frame with its first two dimensions turned by an angle, as parts in any pose would show them.
std::vector<float> turned(std::vector<float> frame, double angle, int dimensions) {
  for (std::size_t at = 0; at < frame.size(); at += static_cast<std::size_t>(dimensions)) {
    const auto x = static_cast<double>(frame[at]);
    const auto y = static_cast<double>(frame[at + 1]);
    const auto half = [](double value) { return half_to_float(float_to_half(static_cast<float>(value))); };
    frame[at] = half(x * std::cos(angle) - y * std::sin(angle));
    frame[at + 1] = half(x * std::sin(angle) + y * std::cos(angle));
  }
  return frame;
}

// What turned copies bring to `count` frames whose own angles spread over `spread` of a full turn.
double gain(SourceKind source, int count, double spread, bool twice = false) {
  WorkerPool pool(2);
  const ModelInfo info = info_of(source);
  Frames frames;
  Frames copies;
  for (int i = 0; i < count; ++i) {
    const int number = twice ? i / 2 : i;
    const double angle = 2 * std::numbers::pi * spread * std::fmod(number * std::numbers::phi, 1);
    frames.push_back(turned(noisy_frame(info, static_cast<std::uint32_t>(number), 0.1F), angle, info.dimensions));
    for (int k = 0; k < kCopies; ++k) {
      copies.push_back(turned(frames.back(), 2 * std::numbers::pi * (k + 0.5) / kCopies, info.dimensions));
    }
  }
  Segments segments(12, info.dimensions, {8, 32});
  append(segments, frames, pool, copies, source == SourceKind::images ? 1.0 / (1 + kCopies) : 1);
  return copies_gain(segments.settled(pool), info, pool);
}

// Copies help where the parts lie at any angle, and do harm where they lie as the first one does; whether there are as
// many frames as are stored or more, and with each of them twice.
TEST(CopiesGain, TellsLooseFromFixedParts) {
  for (const SourceKind source : {SourceKind::images, SourceKind::stream}) {
    for (const int count : {8, 20, 60}) {
      SCOPED_TRACE(std::to_string(count) + (source == SourceKind::images ? " images" : " frames"));
      EXPECT_GT(gain(source, count, 1), 0.01);
      EXPECT_LT(gain(source, count, 0), -0.01);
    }
  }
  EXPECT_GT(gain(SourceKind::images, 16, 1, true), 0.01);
  EXPECT_LT(gain(SourceKind::images, 16, 0, true), -0.01);
}

// By fits of the test's own: the same number.
TEST(CopiesGain, IsADifferenceOfLogLikelihoods) {
  WorkerPool pool(1);
  ModelInfo info = info_of(SourceKind::images);
  info.search_radius = 1;  // of which likelihoods know nothing
  const Frames frames = noisy_frames(info, 8);
  Frames copies;
  for (const auto& frame : frames) copies.push_back(shifted(frame, 0.5F));
  Segments segments(12, info.dimensions, {8, 64});
  append(segments, frames, pool, copies, 0.5);
  double difference = 0;
  for (int i = 0; i < 8; ++i) {
    const Frames alone = without(frames, {i});
    Frames both = alone;
    for (const auto& copy : without(copies, {i})) both.push_back(copy);
    const PlainModel with(both, info, std::vector<double>(both.size(), 0.5));
    const PlainModel bare(alone, info);
    const auto& frame = frames[static_cast<std::size_t>(i)];
    difference += (with.log_likelihood(frame) - bare.log_likelihood(frame)) / 8;
  }
  EXPECT_NEAR(copies_gain(segments.settled(pool), info, pool), difference, 1e-3);
}

}  // namespace
}  // namespace padim::test
