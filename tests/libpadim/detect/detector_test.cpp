#include "padim/detector.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <limits>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "drifting_scene.h"
#include "expect_error.h"
#include "padim/log.h"
#include "scene/limits.h"
#include "statistics/mahalanobis.h"

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
    EXPECT_NEAR(detection.score, detection.raw_score / (detection.raw_score + detection.calibrated_threshold), 1e-12);
    EXPECT_EQ(detection.calibrated_threshold, detector.model().info().calibration.threshold);
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

// Counts what detectors ask of a backbone.
class CountingBackbone : public Backbone {
 public:
  struct Counts {
    int networks = 0;
    int runs = 0;
  };

  CountingBackbone(std::shared_ptr<const Backbone> counted, Counts& counts)
      : counted_(std::move(counted)), counts_(counts) {}

  [[nodiscard]] const BackboneInfo& info() const override { return counted_->info(); }
  [[nodiscard]] std::shared_ptr<const Backbone> with_taps(std::span<const int> taps) const override {
    ++counts_.networks;
    return std::make_shared<CountingBackbone>(counted_->with_taps(taps), counts_);
  }
  [[nodiscard]] std::shared_ptr<const Backbone> with_last_tap_channels(std::span<const int> channels) const override {
    ++counts_.networks;
    return std::make_shared<CountingBackbone>(counted_->with_last_tap_channels(channels), counts_);
  }
  void run(std::span<const std::uint8_t> images, int batch, int height, int width, std::vector<TapMaps>& taps,
           int threads) const override {
    ++counts_.runs;
    counted_->run(images, batch, height, width, taps, threads);
  }

 private:
  std::shared_ptr<const Backbone> counted_;
  Counts& counts_;
};

// A model in the place of another scores as in a detector of its own, whatever the two have in common.
TEST(Detector, ReplacesItsModel) {
  const auto changed = [](const auto& change) {
    FitOptions fit = options();
    change(fit);
    Fitter fitter(backbone(), fit);
    add(fitter, 20, 70);
    return fitter.finish();
  };
  const Model models[] = {
      changed([](FitOptions&) {}),
      changed([](FitOptions& fit) {
        fit.input_size = {96, 64};
      }),
      changed([](FitOptions& fit) { fit.taps = {"middle"}; }),
      changed([](FitOptions& fit) { fit.grid = Grid::finest; }),
      changed([](FitOptions& fit) { fit.search_radius = 2; }),
      changed([](FitOptions& fit) {
        fit.roi = {16, 8, 40, 32};
      }),
      changed([](FitOptions& fit) {
        fit.reduction = ReductionKind::pca;
        fit.dimensions = 5;
      }),
      changed([](FitOptions& fit) {
        fit.reduction = ReductionKind::random;
        fit.dimensions = 7;
      }),
  };
  Detector detector(backbone(), fitted());
  const auto pixels = defective(3);
  for (int round = 0; round < 2; ++round) {
    for (const Model& model : models) {
      detector.detect(view_of(pixels));
      detector.replace(model);
      EXPECT_EQ(detector.model().id(), model.id());
      const Detection& detection = detector.detect(view_of(pixels));
      Detector fresh(backbone(), model);
      const Detection& expected = fresh.detect(view_of(pixels));
      EXPECT_EQ(detection.map.values, expected.map.values);
      EXPECT_EQ(detection.score, expected.score);
      EXPECT_TRUE(std::ranges::equal(detector.embedding(), fresh.embedding()));
    }
  }
}

// A model of the same layout, as a refresh makes it, takes over the network; nothing runs until the next frame, and
// until then there is no latest one.
TEST(Detector, ReplacesARefreshedModelWithoutTheNetwork) {
  CountingBackbone::Counts counts;
  Detector detector(std::make_shared<CountingBackbone>(backbone(), counts), fitted());
  Fitter fitter(backbone(), fitted(), options());
  add(fitter, 40, 60);
  const auto pixels = picture(4);
  detector.detect(view_of(pixels));
  const int networks = counts.networks;
  EXPECT_EQ(counts.runs, 1);
  detector.replace(fitter.finish());
  EXPECT_EQ(counts.networks, networks);
  EXPECT_EQ(counts.runs, 1);
  EXPECT_TRUE(detector.embedding().empty());
  expect_error(ErrorCode::invalid_argument, {"call detect()"}, [&] { detector.judge(0.5); });
  detector.detect(view_of(pixels));
  EXPECT_FALSE(detector.embedding().empty());
  EXPECT_EQ(detector.judge(0.1).threshold, 0.1);
}

// The mask of the options holds for every model; it is a picture, made to the measure of each.
TEST(Detector, KeepsItsMask) {
  MaskPicture mask{64, 48, std::vector<std::uint8_t>(64 * 48, 255)};
  for (int y = 10; y < 40; ++y) std::fill_n(mask.values.begin() + y * 64 + 16, 32, std::uint8_t{0});
  FitOptions fit = options();
  fit.input_size = {96, 64};
  const Model other = fitted(fit);
  Detector detector(backbone(), fitted(), {.mask = mask});
  detector.replace(other);
  Detector fresh(backbone(), other, {.mask = mask});
  const auto pixels = defective(3);
  const Detection& detection = detector.detect(view_of(pixels));
  EXPECT_EQ(detection.map.values, fresh.detect(view_of(pixels)).map.values);
  EXPECT_FALSE(detection.anomalous);
  EXPECT_TRUE(Detector(backbone(), other).detect(view_of(pixels)).anomalous);
}

// Medians of the distances of the latest frame, over the positions of `counts`.
double median_of(Detector& detector, const std::vector<std::uint8_t>& counts) {
  const ModelInfo& info = detector.model().info();
  WorkerPool pool(1);
  Mahalanobis mahalanobis(detector.model().mean(), detector.model().whitener(), info.positions, info.dimensions, 0);
  std::vector<float> all(counts.size());
  mahalanobis.run(detector.embedding(), all, pool);
  std::vector<float> counting;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (counts[i] != 0) counting.push_back(all[i]);
  }
  std::ranges::sort(counting);
  return static_cast<double>(counting[counting.size() / 2]);
}

// The level of the whole picture: the median distance, of the places that count. A defect leaves it, other light does
// not.
TEST(Detector, TellsTheLevelOfThePicture) {
  MaskPicture mask{64, 48, std::vector<std::uint8_t>(64 * 48, 255)};
  for (std::size_t i = 0; i < mask.values.size(); ++i) mask.values[i] = i % 64 < 40 ? 255 : 0;
  Detector plain(backbone(), fitted());
  Detector masked(backbone(), fitted(), {.mask = mask});
  const auto normal = picture(3);
  const auto defect = defective(3);
  const auto lit = picture(300);
  ASSERT_EQ(plain.model().info().positions, (Size{4, 3}));
  for (const auto* pixels : {&normal, &defect, &lit}) {
    const double level = plain.detect(view_of(*pixels)).median_distance;
    EXPECT_EQ(level, median_of(plain, std::vector<std::uint8_t>(12, 1)));
    const double level_of_the_left = masked.detect(view_of(*pixels)).median_distance;
    EXPECT_EQ(level_of_the_left, median_of(masked, {1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0}));
  }
  const double level = plain.detect(view_of(normal)).median_distance;
  EXPECT_LT(plain.detect(view_of(defect)).median_distance, 3 * level);
  EXPECT_GT(plain.detect(view_of(lit)).median_distance, 5 * level);
}

// The level that the fit records is that of frames it has not seen: above those it has, and above later ones of the
// same scene, but far below another light; a threshold that is not calibrated has none.
TEST(Detector, StaysBelowTheLevelOfTheFit) {
  Fitter fitter(backbone(), options());
  add(fitter, 0, 64, 0);
  const Model model = fitter.finish();
  const SceneReference scene = *model.info().scene;
  EXPECT_EQ(scene.segments, model.info().calibration.segments);
  EXPECT_EQ(scene.frames, 64);
  Detector detector(backbone(), model);
  std::vector<float> seen;
  for (int i = 0; i < 64; ++i) {
    seen.push_back(static_cast<float>(detector.detect(view_of(picture(i, 0))).median_distance));
  }
  EXPECT_GT(scene.median_distance, static_cast<double>(lower_quartile(seen)));
  EXPECT_LT(scene.median_distance, 0.1 * detector.detect(view_of(picture(300, 0.2))).median_distance);

  FitOptions uncalibrated = options();
  uncalibrated.false_alarm_rate = std::nullopt;
  const SceneReference none = *fitted(uncalibrated).info().scene;
  EXPECT_EQ(none.segments, 0);
  EXPECT_EQ(none.median_distance, 0);
}

// What a frame looks like is told in levels of grey, and whether it is the picture of the frame before, across a model
// that is replaced.
TEST(Detector, TellsWhatThePictureLooksLike) {
  const Model model = fitted();
  Detector detector(backbone(), model);
  const std::vector<std::uint8_t> grey(picture(0).size(), 90);
  EXPECT_EQ(detector.detect(view_of(grey)).appearance, (Appearance{90, 0, 0}));
  EXPECT_EQ(detector.detect(view_of(grey)).repeats, 1);
  detector.replace(model.stripped());
  EXPECT_EQ(detector.detect(view_of(grey)).repeats, 2);
  const Detection& other = detector.detect(view_of(picture(0)));
  EXPECT_EQ(other.repeats, 0);
  EXPECT_NEAR(other.appearance.luma, 79, 4);      // 40 + x + noise of 0..15
  EXPECT_NEAR(other.appearance.contrast, 19, 1);  // of a ramp over 64 levels
}

// What cannot be replaced leaves the detector as it was, its latest frame included.
TEST(Detector, StaysAsItWasWhereAModelDoesNotFit) {
  const Model model = fitted();
  Fitter foreign(std::make_shared<FakeBackbone>("resnet18"), options());
  add(foreign, 0, 40);
  FitOptions square = options();
  square.input_size = {64, 64};
  Fitter shaped(backbone(), square);
  const std::vector<std::uint8_t> grey(64 * 64 * 3, 100);
  ImageView view = view_of(grey);
  view.height = 64;
  for (int i = 0; i < 4; ++i) shaped.add(view);

  Detector detector(backbone(), model, {.mask = {4, 3, std::vector<std::uint8_t>(12, 255)}});
  const auto pixels = defective(3);
  const auto map = detector.detect(view_of(pixels)).map.values;
  const std::vector<float> embedding(detector.embedding().begin(), detector.embedding().end());
  expect_error(ErrorCode::mismatch, {"resnet18"}, [&] { detector.replace(foreign.finish()); });
  expect_error(ErrorCode::invalid_argument, {"mask of 4x3", "64x64"}, [&] { detector.replace(shaped.finish()); });
  EXPECT_EQ(detector.model().id(), model.id());
  EXPECT_TRUE(std::ranges::equal(detector.embedding(), embedding));
  EXPECT_EQ(detector.judge(0.5).map.values, map);
  EXPECT_EQ(detector.detect(view_of(pixels)).map.values, map);
}

// What is in use is said once, with the numbers that matter, and nothing for each frame.
TEST(Detector, SaysWhatIsInUseAndNothingPerFrame) {
  std::vector<std::string> said;
  set_log_handler([&](LogLevel, const std::string& message) { said.push_back(message); });
  const auto expect_said = [&](std::initializer_list<std::string> words) {
    ASSERT_FALSE(said.empty());
    for (const std::string& word : words) EXPECT_NE(said.back().find(word), std::string::npos) << said.back();
    said.clear();
  };
  const Model model = fitted();
  expect_said({model.id(), "model computed from 40 frames", "whitening"});
  Detector detector(backbone(), model, {.threads = 2});
  expect_said({model.id(), "64x48", "2 threads"});
  for (int i = 0; i < 3; ++i) detector.detect(view_of(picture(i)));
  EXPECT_TRUE(said.empty());
  const Model stripped = model.stripped();
  detector.replace(stripped);
  expect_said({model.id(), "replaces", "keeps its layout"});
  set_log_handler({});
}

// The stages take some time each, and never more than the call in all.
TEST(Detector, TellsTheTimeOfItsStages) {
  Detector detector(backbone(), fitted());
  EXPECT_EQ(detector.stage_times().network, 0);
  const auto pixels = defective(3);
  for (int i = 0; i < 5; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    detector.detect(view_of(pixels));
    const std::chrono::duration<double, std::milli> passed = std::chrono::steady_clock::now() - begin;
    const StageTimes& times = detector.stage_times();
    for (const double time :
         {times.preprocess, times.network, times.embedding, times.distances, times.map, times.regions}) {
      EXPECT_GT(time, 0);
    }
    EXPECT_LE(times.preprocess + times.network + times.embedding + times.distances + times.map + times.regions,
              passed.count());
  }
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
