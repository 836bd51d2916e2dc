// A model whose threshold a person has chosen: the same model in everything else, in memory, on the disk and in
// detection, and it says so.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "drifting_scene.h"
#include "expect_error.h"
#include "padim/detector.h"
#include "padim/fitter.h"
#include "scratch_folder.h"

namespace padim::test {
namespace {

Model fitted(std::optional<double> false_alarm_rate) {
  FitOptions wanted = options();
  wanted.false_alarm_rate = false_alarm_rate;
  Fitter fitter(backbone(), wanted);
  add(fitter, 0, 20);
  return fitter.finish();
}

const Model& model() {
  static const Model instance = fitted(0.05);
  return instance;
}

bool says(const Model& model, const std::string& words) { return describe(model).find(words) != std::string::npos; }

// Everything else is the very same memory, and the model that it came from is as it was.
TEST(Threshold, IsAllThatChanges) {
  const double before = model().info().calibration.threshold;
  const Model chosen = model().with_threshold(12.5);
  ModelInfo expected = model().info();
  expected.calibration.threshold = 12.5;
  expected.calibration.rule = "chosen";
  EXPECT_EQ(chosen.info(), expected);
  EXPECT_EQ(chosen.id(), model().id());
  EXPECT_EQ(chosen.mean().data(), model().mean().data());
  EXPECT_EQ(chosen.whitener().data(), model().whitener().data());
  EXPECT_EQ(chosen.comoment().data(), model().comoment().data());
  EXPECT_TRUE(chosen.resumable());
  EXPECT_FALSE(chosen.stripped().resumable());
  EXPECT_EQ(chosen.stripped().info(), expected);
  EXPECT_EQ(model().info().calibration.threshold, before);
}

// The frame whose raw score is the threshold is anomalous, the next number up is not reached.
TEST(Threshold, DecidesInDetection) {
  Detector detector(backbone(), model());
  const auto pixels = picture(3);
  const double raw = detector.detect(view_of(pixels)).raw_score;
  detector.replace(model().with_threshold(raw));
  EXPECT_EQ(detector.detect(view_of(pixels)).score, 0.5);
  EXPECT_TRUE(detector.judge(0.5).anomalous);
  detector.replace(model().with_threshold(std::nextafter(raw, 2 * raw)));
  EXPECT_FALSE(detector.detect(view_of(pixels)).anomalous);
  EXPECT_EQ(detector.judge(0.5).raw_score, raw);
}

TEST(Threshold, IsReadBack) {
  const ScratchFolder folder;
  const Model chosen = model().with_threshold(0.1234567890123);
  chosen.save(folder / "part.padim");
  EXPECT_EQ(Model::load(folder / "part.padim").info(), chosen.info());
}

// The sentence counts the held-out scores that reach it; where there are none it says no more than that it was chosen.
TEST(Threshold, IsSaidToBeChosen) {
  EXPECT_FALSE(says(model(), "chosen"));
  const std::vector<float>& scores = model().info().calibration.scores;
  const std::string all = std::to_string(scores.size());
  const auto highest = static_cast<double>(*std::max_element(scores.begin(), scores.end()));
  EXPECT_TRUE(says(model().with_threshold(1e-9), "chosen, not calibrated; " + all + " of " + all + " held-out"));
  EXPECT_TRUE(says(model().with_threshold(highest), "; 1 of " + all + " held-out"));
  EXPECT_TRUE(says(model().with_threshold(2 * highest), "; 0 of " + all + " held-out"));
  EXPECT_TRUE(says(fitted({}).with_threshold(7), "raw score 7 (shown as 0.5): chosen, not calibrated.\n"));
}

// A fit that goes on calibrates anew for the rate that was wanted, as if nothing had been chosen.
TEST(Threshold, EndsWithTheNextFit) {
  const auto going_on = [](const Model& from) {
    Fitter fitter(backbone(), from, options());
    add(fitter, 20, 30);
    return fitter.finish().info();
  };
  EXPECT_EQ(going_on(model().with_threshold(3)), going_on(model()));
}

TEST(Threshold, RefusesWhatIsNone) {
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double wrong : {0.0, -1.0, infinity, -infinity, std::numeric_limits<double>::quiet_NaN()}) {
    expect_error(ErrorCode::invalid_argument, {"threshold", "above 0"}, [&] { (void)model().with_threshold(wrong); });
  }
}

}  // namespace
}  // namespace padim::test
