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
      : detector_(backbone(), model), learner_(model, {.half_life = half_life, .threads = 1}) {}

  bool anomalous(const std::vector<std::uint8_t>& pixels) {
    const Detection& detection = detector_.detect(view_of(pixels));
    const bool result = detection.anomalous;
    learner_.observe(detection, detector_.embedding());
    if (learner_.due()) {
      const Refresh refresh = learner_.take_refresh();
      const Model model = refresh.job({});
      learner_.adopt(model);
      detector_.replace(model);
      shown_ += refresh.frames_shown;
      ++models_;
    }
    return result;
  }

  Learner& learner() { return learner_; }
  [[nodiscard]] const ModelInfo& info() const { return detector_.model().info(); }
  [[nodiscard]] int models() const { return models_; }
  [[nodiscard]] std::int64_t shown() const { return shown_; }

 private:
  Detector detector_;
  Learner learner_;
  int models_ = 0;
  std::int64_t shown_ = 0;
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
  EXPECT_EQ(line.shown(), 12);
  EXPECT_EQ(line.info().frames, 96 + 12);
  const double after = line.info().calibration.threshold;
  EXPECT_GT(after, before);
  for (int i = 13; i < 25; ++i) EXPECT_FALSE(line.anomalous(other(i))) << i;
  for (int i = 100; i < 112; ++i) EXPECT_FALSE(line.anomalous(picture(i, 0))) << i;
  line.learner().set_half_life(8);
  for (int i = 25; i < 45; ++i) line.anomalous(other(i));
  EXPECT_GT(line.models(), 1);
  EXPECT_EQ(line.shown(), 12);
  EXPECT_EQ(line.info().calibration.threshold, after);
}

// What the operator shows is no news to a SceneMonitor either.
TEST(Learner, WidensWhatTheSceneLooksLike) {
  Line line(0);
  const double fitted = line.info().scene->appearance.most.luma;
  line.learner().learn(8);
  for (int i = 0; i < 8; ++i) line.anomalous(picture(i + 300, 0.1));
  EXPECT_GT(line.info().scene->appearance.most.luma, fitted + 20);
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

// A learner beside a detector whose model stays: what the learner says while its jobs take their time.
class Stream {
 public:
  explicit Stream(double half_life)
      : model_(fitted()), detector_(backbone(), model_), learner_(model_, {.half_life = half_life, .threads = 1}) {}

  void show(int first, int last) {
    for (int i = first; i < last; ++i) {
      const Detection& detection = detector_.detect(view_of(picture(i, 0)), 1);
      learner_.observe(detection, detector_.embedding());
    }
  }

  Learner& learner() { return learner_; }
  [[nodiscard]] const Model& model() const { return model_; }

 private:
  Model model_;
  Detector detector_;
  Learner learner_;
};

// A stretch ends while the model of slow drift is computed, and another begins before its own job is taken: the frames
// of both come out together, once, and the drift before and after them speaks for none.
TEST(Learner, CountsTheFramesOfOverlappingStretches) {
  Stream stream(80);
  Learner& learner = stream.learner();
  stream.show(0, 10);
  ASSERT_TRUE(learner.due());
  const Refresh drift = learner.take_refresh();
  EXPECT_EQ(drift.frames_shown, 0);
  EXPECT_FALSE(learner.due());

  learner.learn(6);
  stream.show(10, 16);
  EXPECT_TRUE(learner.due());
  learner.learn(5);
  EXPECT_FALSE(learner.due());
  const Model drifted = drift.job({});
  EXPECT_EQ(drifted.info().frames, 96 + 10);
  EXPECT_EQ(drifted.info().calibration, stream.model().info().calibration);
  learner.adopt(drifted);
  EXPECT_FALSE(learner.due());
  stream.show(16, 20);
  EXPECT_FALSE(learner.due());
  stream.show(20, 21);
  ASSERT_TRUE(learner.due());

  const Refresh both = learner.take_refresh();
  EXPECT_EQ(both.frames_shown, 11);
  stream.show(21, 31);  // drift that goes on while the job runs
  const Model learned = both.job({});
  EXPECT_EQ(learned.info().frames, 96 + 21);
  EXPECT_EQ(learned.info().calibration.segments, stream.model().info().calibration.segments + 2);
  EXPECT_NE(learned.info().calibration.scores, stream.model().info().calibration.scores);
  learner.adopt(learned);
  ASSERT_TRUE(learner.due());
  const Refresh after = learner.take_refresh();
  EXPECT_EQ(after.frames_shown, 0);
  EXPECT_EQ(after.job({}).info().calibration, learned.info().calibration);
}

// Frames whose job failed or was cancelled are not lost: the next refresh speaks for them and calibrates the threshold.
TEST(Learner, KeepsFramesWhoseModelWasNotAdopted) {
  Stream stream(80);
  Learner& learner = stream.learner();
  learner.learn(7);
  stream.show(0, 7);
  const Refresh cancelled = learner.take_refresh();
  EXPECT_EQ(cancelled.frames_shown, 7);
  expect_error(ErrorCode::cancelled, {}, [&] { (void)cancelled.job([](double) { return false; }); });
  EXPECT_FALSE(learner.due()) << "the same frames would fail again at once";
  stream.show(7, 17);
  ASSERT_TRUE(learner.due());
  const Refresh next = learner.take_refresh();
  EXPECT_EQ(next.frames_shown, 7);
  const Model model = next.job({});
  EXPECT_NE(model.info().calibration.scores, stream.model().info().calibration.scores);
  learner.adopt(model);
  stream.show(17, 27);
  EXPECT_EQ(learner.take_refresh().frames_shown, 0);
}

// What ended waits for a stretch that is going on, also where that one ends without a frame.
TEST(Learner, WaitsForTheStretchThatGoesOn) {
  Stream stream(0);
  Learner& learner = stream.learner();
  expect_error(ErrorCode::invalid_argument, {"no refresh is due"}, [&] { (void)learner.take_refresh(); });
  learner.learn(3);
  stream.show(0, 3);
  learner.learn(100);
  EXPECT_FALSE(learner.due());
  learner.end_stretch();
  EXPECT_TRUE(learner.due());
  EXPECT_EQ(learner.take_refresh().frames_shown, 3);
  EXPECT_FALSE(learner.due());
}

TEST(Learner, RejectsWhatCannotBeLearned) {
  Line line(0);
  expect_error(ErrorCode::invalid_argument, {"at least 1"}, [&] { line.learner().learn(0); });
  expect_error(ErrorCode::invalid_argument, {"half-life"}, [&] { line.learner().set_half_life(-1); });
  expect_error(ErrorCode::invalid_argument, {"half-life"},
               [&] { line.learner().set_half_life(std::numeric_limits<double>::quiet_NaN()); });
  expect_error(ErrorCode::invalid_argument, {"stripped"}, [&] { Line(0, fitted().stripped()); });
  const std::vector<float> embedding(5);
  line.learner().learn(1);
  expect_error(ErrorCode::mismatch, {"embedding of 5 values"}, [&] { line.learner().observe({}, embedding); });
  EXPECT_EQ(line.learner().learning(), 1);
}

}  // namespace
}  // namespace padim::test
