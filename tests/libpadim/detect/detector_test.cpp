#include "padim/detector.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "drifting_scene.h"
#include "expect_error.h"

namespace padim::test {
namespace {

Model fitted(FitOptions fit = options()) {
  Fitter fitter(backbone(), fit);
  add(fitter, 0, 40);
  return fitter.finish();
}

// The picture with a bright patch at (24..36, 18..30).
std::vector<std::uint8_t> defective(int time) {
  auto pixels = picture(time);
  for (int y = 18; y < 30; ++y) {
    for (int x = 24; x < 36; ++x) {
      for (int c = 0; c < 3; ++c) pixels[static_cast<std::size_t>((y * kFrame.width + x) * 3 + c)] = 250;
    }
  }
  return pixels;
}

// A defect is found where it is; score, verdict, regions and map tell the same.
TEST(Detector, FindsADefectWhereItIs) {
  Detector detector(backbone(), fitted());
  for (int time = 0; time < 40; time += 7) {
    const Detection& normal = detector.detect(view_of(picture(time)));
    EXPECT_FALSE(normal.anomalous) << normal.score;
    EXPECT_TRUE(normal.regions.empty());
    const auto pixels = defective(time);
    const Detection& detection = detector.detect(view_of(pixels));
    EXPECT_TRUE(detection.anomalous) << detection.score;
    ASSERT_FALSE(detection.regions.empty());
    const Region& region = detection.regions.front();
    EXPECT_TRUE(region.x <= 30 && 30 < region.x + region.width && region.y <= 24 && 24 < region.y + region.height);
    EXPECT_NEAR(region.score, detection.score, 1e-6);
    EXPECT_EQ(detection.raw_score,
              static_cast<double>(*std::max_element(detection.map.values.begin(), detection.map.values.end())));
    EXPECT_NEAR(detection.score, detection.raw_score / (detection.raw_score + detection.calibrated), 1e-12);
    EXPECT_EQ(detection.calibrated, detector.model().info().calibration.threshold);
  }
}

// A frame is anomalous exactly when a region reaches the threshold, at every threshold.
TEST(Detector, JudgesByTheThreshold) {
  Detector detector(backbone(), fitted());
  const auto pixels = defective(3);
  const double score = detector.detect(view_of(pixels)).score;
  for (const double threshold : {0.0, 0.2, 0.5, score, std::nextafter(score, 1), 0.999, 1.0}) {
    const Detection& detection = detector.detect(view_of(pixels), threshold);
    EXPECT_EQ(detection.threshold, threshold);
    EXPECT_EQ(detection.score, score);
    EXPECT_EQ(detection.anomalous, !detection.regions.empty()) << threshold;
    const bool distinct = std::abs(threshold - score) > 1e-9;  // rounding decides otherwise
    EXPECT_TRUE(!distinct || detection.anomalous == (score >= threshold)) << threshold;
  }
  for (const double threshold : {-0.1, 1.1, std::numeric_limits<double>::quiet_NaN()}) {
    expect_error(ErrorCode::invalid_argument, {"threshold"}, [&] { detector.detect(view_of(pixels), threshold); });
  }
}

// Frames of another shape or without pixels are refused, and the next good one is scored as ever.
TEST(Detector, GoesOnAfterAFrameThatDoesNotFit) {
  Detector detector(backbone(), fitted());
  const auto pixels = picture(5);
  const double score = detector.detect(view_of(pixels)).raw_score;
  ImageView tall = view_of(pixels);
  std::swap(tall.width, tall.height);
  tall.stride[0] = 3 * tall.width;
  expect_error(ErrorCode::mismatch, {"48x64", "64x48"}, [&] { detector.detect(tall); });
  ImageView empty = view_of(pixels);
  empty.data[0] = nullptr;
  expect_error(ErrorCode::invalid_argument, {"image view"}, [&] { detector.detect(empty); });
  EXPECT_EQ(detector.detect(view_of(pixels)).raw_score, score);
}

// Threads change nothing but the time.
TEST(Detector, GivesTheSameWithAnyNumberOfThreads) {
  FitOptions fit = options();
  fit.search_radius = 1;
  const Model model = fitted(fit);
  Detector one(backbone(), model, {.threads = 1});
  Detector three(backbone(), model, {.threads = 3});
  const auto pixels = defective(9);
  EXPECT_EQ(one.detect(view_of(pixels)).map.values, three.detect(view_of(pixels)).map.values);
}

// One model serves several detectors at once.
TEST(Detector, SharesAModelBetweenThreads) {
  const Model model = fitted();
  const auto pixels = defective(2);
  const double expected = Detector(backbone(), model).detect(view_of(pixels)).raw_score;
  std::atomic<int> equal = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      Detector detector(backbone(), model);
      for (int k = 0; k < 50; ++k) equal += detector.detect(view_of(pixels)).raw_score == expected ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(equal, 200);
}

// A backbone whose numbers are none.
class BrokenBackbone : public FakeBackbone {
 public:
  [[nodiscard]] std::shared_ptr<const Backbone> with_last_tap_channels(std::span<const int>) const override {
    return std::make_shared<BrokenBackbone>(*this);
  }

  void run(std::span<const std::uint8_t> images, int batch, int height, int width, std::vector<TapMaps>& taps,
           int threads) const override {
    FakeBackbone::run(images, batch, height, width, taps, threads);
    taps[1].values[3] = std::numeric_limits<float>::quiet_NaN();
  }
};

// What is not finite is an error and never a normal frame; a fit on it fails too.
TEST(Detector, RefusesWhatIsNotFinite) {
  Detector detector(std::make_shared<BrokenBackbone>(), fitted());
  const auto pixels = picture(1);
  expect_error(ErrorCode::numeric, {"not finite"}, [&] { detector.detect(view_of(pixels)); });
  Fitter fitter(std::make_shared<BrokenBackbone>(), options());
  add(fitter, 0, 10);
  expect_error(ErrorCode::numeric, {}, [&] { (void)fitter.finish(); });
}

}  // namespace
}  // namespace padim::test
