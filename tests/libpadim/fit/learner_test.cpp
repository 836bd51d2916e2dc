#include "padim/learner.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "drifting_scene.h"
#include "expect_error.h"
#include "padim/detector.h"

namespace padim::test {
namespace {

Model fitted() {
  Fitter fitter(backbone(), options());
  add(fitter, 0, 96, 0);
  return fitter.finish();
}

std::vector<std::uint8_t> with_defect(std::vector<std::uint8_t> pixels) {
  for (int y = 16; y < 32; ++y) {
    for (int x = 16; x < 32; ++x) pixels[static_cast<std::size_t>((y * kFrame.width + x) * 3)] = 255;
  }
  return pixels;
}

// A detector whose model is replaced by what the learner computes, at once.
class Line {
 public:
  explicit Line(double half_life, Model model = fitted())
      : detector_(backbone(), model), learner_(backbone(), model, {.half_life = half_life, .threads = 1}) {}

  bool anomalous(const std::vector<std::uint8_t>& pixels) {
    const Detection& detection = detector_.detect(view_of(pixels));
    const bool result = detection.anomalous;
    if (learner_.observe(detection, detector_.embedding())) {
      const Model model = learner_.take_job()({});
      learner_.adopt(model);
      detector_ = Detector(backbone(), model);
      ++models_;
    }
    return result;
  }

  Learner& learner() { return learner_; }
  [[nodiscard]] const ModelInfo& info() const { return detector_.model().info(); }
  [[nodiscard]] int models() const { return models_; }

 private:
  Detector detector_;
  Learner learner_;
  int models_ = 0;
};

// Light that drifts far beyond what was fitted: without adaptation everything becomes an anomaly, with it nothing.
TEST(Learner, FollowsSlowDrift) {
  const auto false_alarms = [](double half_life) {
    Line line(half_life);
    int alarms = 0;
    for (int i = 0; i < 1500; ++i) alarms += line.anomalous(picture(i, 0.02)) ? 1 : 0;
    return alarms;
  };
  EXPECT_GT(false_alarms(0), 400);
  EXPECT_LE(false_alarms(100), 2);
}

// A defect that stays in view is found in its last frame as in its first, and the drift behind it is still followed.
TEST(Learner, DoesNotLearnADefectInView) {
  Line line(100);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(line.anomalous(picture(i, 0.002))) << i;
  const int before = line.models();
  for (int i = 100; i < 400; ++i) EXPECT_TRUE(line.anomalous(with_defect(picture(i, 0.002)))) << i;
  EXPECT_EQ(line.models(), before);
  for (int i = 400; i < 500; ++i) EXPECT_FALSE(line.anomalous(picture(i, 0.002))) << i;
  EXPECT_GT(line.models(), before);
}

// Adaptation keeps the calibrated threshold, and frames count on.
TEST(Learner, KeepsTheThreshold) {
  Line line(80);
  const Calibration calibration = line.info().calibration;
  for (int i = 0; i < 50; ++i) line.anomalous(picture(i, 0));
  EXPECT_EQ(line.models(), 5);  // one in half-life / 8 folded frames
  EXPECT_EQ(line.info().calibration, calibration);
  EXPECT_EQ(line.info().frames, 96 + 50);
}

// What the operator calls normal is normal from then on, and adaptation then keeps the new threshold.
TEST(Learner, LearnsWhatTheOperatorShows) {
  Line line(0);
  const double before = line.info().calibration.threshold;
  const auto other = [](int i) { return picture(i + 300, 0.1); };
  EXPECT_TRUE(line.anomalous(other(0)));
  line.learner().learn(4);
  line.learner().learn(8);
  EXPECT_EQ(line.learner().learning(), 12);
  for (int i = 1; i <= 12; ++i) line.anomalous(other(i));
  EXPECT_EQ(line.learner().learning(), 0);
  EXPECT_EQ(line.models(), 1);
  EXPECT_EQ(line.info().frames, 96 + 12);
  const double after = line.info().calibration.threshold;
  EXPECT_GT(after, before);
  for (int i = 13; i < 25; ++i) EXPECT_FALSE(line.anomalous(other(i))) << i;
  for (int i = 100; i < 112; ++i) EXPECT_FALSE(line.anomalous(picture(i, 0))) << i;
  line.learner().set_half_life(8);
  for (int i = 25; i < 45; ++i) line.anomalous(other(i));
  EXPECT_GT(line.models(), 1);
  EXPECT_EQ(line.info().calibration.threshold, after);
}

// A stretch that ends early is learned as far as it went; one that never began changes nothing.
TEST(Learner, EndsAStretchEarly) {
  Line line(0);
  const auto other = [](int i) { return picture(i + 300, 0.1); };
  line.learner().learn(100);
  line.learner().end_stretch();
  EXPECT_FALSE(line.anomalous(picture(0, 0)));
  EXPECT_EQ(line.models(), 0);
  line.learner().learn(100);
  for (int i = 0; i < 12; ++i) line.anomalous(other(i));
  line.learner().end_stretch();
  EXPECT_EQ(line.learner().learning(), 0);
  line.anomalous(other(12));
  EXPECT_EQ(line.models(), 1);
  EXPECT_EQ(line.info().frames, 96 + 12);
  EXPECT_FALSE(line.anomalous(other(13)));
}

TEST(Learner, RejectsWhatCannotBeLearned) {
  Line line(0);
  expect_error(ErrorCode::invalid_argument, {"at least 1"}, [&] { line.learner().learn(0); });
  expect_error(ErrorCode::invalid_argument, {"half-life"}, [&] { line.learner().set_half_life(-1); });
  expect_error(ErrorCode::invalid_argument, {"half-life"},
               [&] { line.learner().set_half_life(std::numeric_limits<double>::quiet_NaN()); });
  expect_error(ErrorCode::invalid_argument, {"stripped"}, [&] { Line(0, fitted().stripped()); });
}

}  // namespace
}  // namespace padim::test
