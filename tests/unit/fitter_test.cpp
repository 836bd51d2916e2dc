#include "padim/fitter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "expect_error.h"
#include "fake_backbone.h"
#include "padim/detector.h"
#include "random_numbers.h"
#include "scratch_folder.h"

namespace padim::test {
namespace {

constexpr Size kFrame{64, 48};
constexpr int kStride = 64 * 3 + 5;

/// Noise of seed `number` with padded rows.
class Picture {
 public:
  explicit Picture(int number) : bytes_(random_bytes(std::size_t{kStride} * 48, static_cast<std::uint32_t>(number))) {}

  [[nodiscard]] ImageView view() const {
    ImageView view;
    view.width = kFrame.width;
    view.height = kFrame.height;
    view.data[0] = bytes_.data();
    view.stride[0] = kStride;
    return view;
  }

 private:
  std::vector<std::uint8_t> bytes_;
};

FitOptions fit_options() {
  FitOptions options;
  options.input_size = kFrame;
  options.threads = 1;
  return options;
}

Model fit(const FitOptions& options, int frames) {
  Fitter fitter(std::make_shared<FakeBackbone>(), options);
  for (int i = 0; i < frames; ++i) fitter.add(Picture(i).view());
  return fitter.finish();
}

void expect_near(std::span<const float> actual, std::span<const float> expected) {
  ASSERT_EQ(actual.size(), expected.size());
  float largest = 0;
  for (const float value : expected) largest = std::max(largest, std::abs(value));
  for (std::size_t i = 0; i < actual.size(); ++i) ASSERT_NEAR(actual[i], expected[i], 1e-5F * largest) << i;
}

// Without calibration the Gaussians are the same; the threshold is a positive scale, and the model says so after a
// round trip through a file.
TEST(Fitter, DoesWithoutCalibration) {
  const ScratchFolder folder;
  FitOptions options = fit_options();
  const Model calibrated = fit(options, 37);
  options.false_alarm_rate = std::nullopt;
  const Model plain = fit(options, 37);
  plain.save(folder / "plain.padim");
  const Model loaded = Model::load(folder / "plain.padim");
  for (const Model& model : {plain, loaded}) {
    expect_near(model.mean(), calibrated.mean());
    expect_near(model.comoment(), calibrated.comoment());
    EXPECT_EQ(model.info().frames, 37);
    EXPECT_EQ(model.info().calibration.segments, 0);
    EXPECT_EQ(model.info().calibration.false_alarm_rate, 0);
    EXPECT_TRUE(model.info().calibration.scores.empty());
    EXPECT_GT(model.info().calibration.threshold, std::sqrt(static_cast<double>(model.info().dimensions)));
    EXPECT_NE(describe(model).find("not calibrated"), std::string::npos) << describe(model);
  }
  EXPECT_EQ(loaded.info(), plain.info());
  Detector detector(std::make_shared<FakeBackbone>(), loaded);
  Detector reference(std::make_shared<FakeBackbone>(), calibrated);
  const double expected = reference.detect(Picture(100).view()).raw_score;
  EXPECT_NEAR(detector.detect(Picture(100).view()).raw_score, expected, 1e-3 * expected);
}

// A fit without calibration goes on after finish() as any other does.
TEST(Fitter, GoesOnWithoutCalibration) {
  FitOptions options = fit_options();
  options.false_alarm_rate = std::nullopt;
  Fitter fitter(std::make_shared<FakeBackbone>(), options);
  for (int i = 0; i < 20; ++i) fitter.add(Picture(i).view());
  const Model first = fitter.finish();
  const std::vector<float> mean(first.mean().begin(), first.mean().end());
  for (int i = 20; i < 37; ++i) fitter.add(Picture(i).view());
  const Model second = fitter.finish();
  const Model expected = fit(options, 37);
  expect_near(second.mean(), expected.mean());
  expect_near(second.comoment(), expected.comoment());
  EXPECT_TRUE(std::equal(mean.begin(), mean.end(), first.mean().begin())) << "a finished model has changed";
}

// The same from a file, with stretches of its own, which one set of statistics cannot keep apart; the file holds the
// statistics once.
TEST(Fitter, ResumesWithoutCalibration) {
  const ScratchFolder folder;
  const auto backbone = std::make_shared<FakeBackbone>();
  FitOptions options = fit_options();
  options.false_alarm_rate = std::nullopt;
  fit(options, 20).save(folder / "m.padim");
  const Model loaded = Model::load(folder / "m.padim");
  EXPECT_LT(std::filesystem::file_size(folder / "m.padim"),
            loaded.comoment().size_bytes() + loaded.whitener().size_bytes() + loaded.mean().size_bytes() + 4096);
  Fitter fitter(backbone, loaded, options);
  for (int i = 20; i < 37; ++i) {
    fitter.begin_stretch();
    fitter.add(Picture(i).view());
    fitter.end_stretch();
  }
  const Model resumed = fitter.finish();
  const Model expected = fit(options, 37);
  expect_near(resumed.mean(), expected.mean());
  expect_near(resumed.comoment(), expected.comoment());
  resumed.save(folder / "m.padim");
  EXPECT_EQ(Model::load(folder / "m.padim").info(), resumed.info());
  EXPECT_EQ(resumed.info().frames, 37);
}

TEST(Fitter, RefusesRatesOutsideTheirRange) {
  for (const double rate : {0.0, -0.1, 0.51, std::nan("")}) {
    FitOptions options = fit_options();
    options.false_alarm_rate = rate;
    expect_error(ErrorCode::invalid_argument, {"false-alarm rate"}, [&] { (void)fit(options, 1); });
  }
}

}  // namespace
}  // namespace padim::test
