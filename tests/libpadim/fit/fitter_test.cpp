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
#include "fit/embedding_fit.h"
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
  options.augment = 0;
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
  WorkerPool pool(1);
  EmbeddingFit resuming(loaded, kMaximumStatisticsBytes);
  Detector embedder(backbone, loaded);
  for (int i = 20; i < 37; ++i) {
    embedder.detect(Picture(i).view());
    resuming.begin_stretch();
    resuming.add(embedder.embedding(), Segments::Kind::real, pool);
    resuming.end_stretch();
  }
  const Model resumed = resuming.prepare(ThresholdPolicy::calibrate, 1, pool)({});
  Fitter fitter(backbone, loaded, options);
  for (int i = 20; i < 37; ++i) fitter.add(Picture(i).view());
  const Model expected = fit(options, 37);
  for (const Model& model : {resumed, fitter.finish()}) {
    expect_near(model.mean(), expected.mean());
    expect_near(model.comoment(), expected.comoment());
  }
  resumed.save(folder / "m.padim");
  EXPECT_EQ(Model::load(folder / "m.padim").info(), resumed.info());
  EXPECT_EQ(resumed.info().frames, 37);
}

// Frames embedded one by one, in batches of any size and by any number of threads give the same model.
TEST(Fitter, GivesTheSameInAnyBatchSplit) {
  const Model expected = fit(fit_options(), 50);
  for (const auto& [batch, threads] : {std::pair{2, 1}, {7, 1}, {16, 3}, {50, 2}, {64, 2}, {0, 3}}) {
    FitOptions options = fit_options();
    options.batch_size = batch;
    options.threads = threads;
    const Model model = fit(options, 50);
    SCOPED_TRACE("batch " + std::to_string(batch));
    expect_near(model.mean(), expected.mean());
    expect_near(model.comoment(), expected.comoment());
    EXPECT_EQ(model.info().calibration.scores.size(), expected.info().calibration.scores.size());
    EXPECT_NEAR(model.info().calibration.threshold / expected.info().calibration.threshold, 1, 1e-3);
  }
}

// A second finish() without frames between gives the very same model.
TEST(Fitter, FinishesTwice) {
  Fitter fitter(std::make_shared<FakeBackbone>(), fit_options());
  for (int i = 0; i < 19; ++i) fitter.add(Picture(i).view());
  const Model first = fitter.finish();
  const Model second = fitter.finish();
  EXPECT_EQ(first.id(), second.id());
  EXPECT_EQ(first.info(), second.info());
}

// More frames may follow a finish(); the model before keeps its numbers.
TEST(Fitter, GoesOnAfterAFinish) {
  Fitter fitter(std::make_shared<FakeBackbone>(), fit_options());
  for (int i = 0; i < 21; ++i) fitter.add(Picture(i).view());
  const Model first = fitter.finish();
  const Model expected = fit(fit_options(), 21);
  for (int i = 21; i < 50; ++i) fitter.add(Picture(i).view());
  const Model second = fitter.finish();
  expect_near(first.mean(), expected.mean());
  const Model whole = fit(fit_options(), 50);
  expect_near(second.mean(), whole.mean());
  expect_near(second.comoment(), whole.comoment());
  EXPECT_NEAR(second.info().calibration.threshold / whole.info().calibration.threshold, 1, 1e-3);
}

// Progress rises from 0 to 1; stopped at any step the fit throws `cancelled` and can still be finished.
TEST(Fitter, CanBeStoppedAtEveryStep) {
  Fitter fitter(std::make_shared<FakeBackbone>(), fit_options());
  for (int i = 0; i < 40; ++i) fitter.add(Picture(i).view());
  std::vector<double> steps;
  const Model expected = fitter.finish([&](double done) {
    steps.push_back(done);
    return true;
  });
  EXPECT_TRUE(std::is_sorted(steps.begin(), steps.end()));
  EXPECT_GE(steps.size(), 4U);
  EXPECT_EQ(steps.front(), 0);
  EXPECT_EQ(steps.back(), 1);
  for (std::size_t stop = 0; stop < steps.size(); ++stop) {
    std::size_t step = 0;
    expect_error(ErrorCode::cancelled, {"stopped"},
                 [&] { (void)fitter.finish([&](double) { return step++ < stop; }); });
    EXPECT_EQ(fitter.frames(), 40);
  }
  EXPECT_EQ(fitter.finish().id(), expected.id());
}

// A frame of another shape is refused and changes nothing; another size of the same shape is welcome.
TEST(Fitter, RefusesFramesOfAnotherShape) {
  Fitter fitter(std::make_shared<FakeBackbone>(), fit_options());
  for (int i = 0; i < 12; ++i) fitter.add(Picture(i).view());
  const std::vector<std::uint8_t> pixels = random_bytes(std::size_t{3} * 96 * 128, 1);
  ImageView other;
  other.width = 96;
  other.height = 128;
  other.data[0] = pixels.data();
  other.stride[0] = 3 * 96;
  expect_error(ErrorCode::mismatch, {"96x128", "64x48"}, [&] { fitter.add(other); });
  EXPECT_EQ(fitter.frames(), 12);
  EXPECT_EQ(fitter.finish().id(), fit(fit_options(), 12).id());
  std::swap(other.width, other.height);
  other.stride[0] = 3 * 128;
  fitter.add(other);
  EXPECT_EQ(fitter.frames(), 13);
}

// One frame is no fit; the sentence says how many there were. Two are, of any source, with a threshold.
TEST(Fitter, NeedsTwoFrames) {
  for (const SourceKind source : {SourceKind::stream, SourceKind::images}) {
    FitOptions options = fit_options();
    options.source = source;
    expect_error(ErrorCode::numeric, {"at least 3 frames without a prior", "2 were given"},
                 [&] { (void)fit(options, 2); });
    options.prior = 30;
    expect_error(ErrorCode::numeric, {"not seen a frame"}, [&] { (void)fit(options, 0); });
    expect_error(ErrorCode::numeric, {"at least 2 frames", "1 was given"}, [&] { (void)fit(options, 1); });
    for (int frames = 2; frames < 9; ++frames) {
      const ModelInfo info = fit(options, frames).info();
      EXPECT_EQ(info.frames, frames);
      EXPECT_EQ(info.calibration.source, source);
      EXPECT_GT(info.calibration.threshold, 1);
      EXPECT_EQ(info.calibration.scores.size(), static_cast<std::size_t>(frames));
    }
  }
}

// Frames that are all alike have no variance: the model stands on its smallest epsilon, and the same frame is normal.
TEST(Fitter, TakesFramesThatAreAllAlike) {
  Fitter fitter(std::make_shared<FakeBackbone>(), fit_options());
  for (int i = 0; i < 30; ++i) fitter.add(Picture(7).view());
  const Model model = fitter.finish();
  EXPECT_GT(model.info().epsilon, 0);
  Detector detector(std::make_shared<FakeBackbone>(), model);
  EXPECT_FALSE(detector.detect(Picture(7).view()).anomalous);
  EXPECT_TRUE(detector.detect(Picture(8).view()).anomalous);
}

// What the fitted frames look like is recorded, copies of them left out; a still picture is counted, and a fit that
// goes on widens what the one before it has seen.
TEST(Fitter, RecordsWhatItsFramesLookLike) {
  FitOptions options = fit_options();
  options.augment = 2;
  const auto network = std::make_shared<FakeBackbone>();
  Fitter fitter(network, options);
  for (const int picture : {0, 1, 1, 1, 2}) fitter.add(Picture(picture).view());
  const Model model = fitter.finish();
  ASSERT_TRUE(model.info().scene);
  const SceneReference scene = *model.info().scene;
  EXPECT_EQ(scene.longest_still, 2);

  Detector detector(network, model);
  AppearanceRange seen;
  for (const int picture : {0, 1, 2}) {
    const Appearance look = detector.detect(Picture(picture).view()).appearance;
    seen.least.luma = std::min(seen.least.luma, look.luma);
    seen.most.contrast = std::max(seen.most.contrast, look.contrast);
    seen.most.sharpness = std::max(seen.most.sharpness, look.sharpness);
  }
  EXPECT_EQ(scene.appearance.least.luma, seen.least.luma);
  EXPECT_EQ(scene.appearance.most.contrast, seen.most.contrast);
  EXPECT_EQ(scene.appearance.most.sharpness, seen.most.sharpness);

  Fitter resumed(network, model, options);
  const std::vector<std::uint8_t> black(std::size_t{kStride} * 48);
  ImageView dark = Picture(0).view();
  dark.data[0] = black.data();
  resumed.add(dark);
  const SceneReference wider = *resumed.finish().info().scene;
  EXPECT_EQ(wider.appearance.least, Appearance{});
  EXPECT_EQ(wider.appearance.most, scene.appearance.most);
}

// Each option outside its range is named.
TEST(Fitter, RefusesOptionsOutsideTheirRanges) {
  struct Case {
    const char* word;
    void (*change)(FitOptions&);
  };
  for (const Case& c : std::initializer_list<Case>{
           {"search radius", [](FitOptions& o) { o.search_radius = -1; }},
           {"search radius", [](FitOptions& o) { o.search_radius = 5; }},
           {"epsilon", [](FitOptions& o) { o.epsilon = 0; }},
           {"epsilon", [](FitOptions& o) { o.epsilon = std::nan(""); }},
           {"epsilon", [](FitOptions& o) { o.relative_epsilon = -1; }},
           {"batch size", [](FitOptions& o) { o.batch_size = -1; }},
           {"batch size", [](FitOptions& o) { o.batch_size = 257; }},
           {"input size",
            [](FitOptions& o) {
              o.input_size = {64, 50};
            }},
           {"input size",
            [](FitOptions& o) {
              o.input_size = {-16, 16};
            }},
           {"dimensions", [](FitOptions& o) { o.reduction = ReductionKind::random, o.dimensions = 0; }},
           {"dimensions", [](FitOptions& o) { o.reduction = ReductionKind::random, o.dimensions = 16; }}}) {
    FitOptions options = fit_options();
    c.change(options);
    expect_error(ErrorCode::invalid_argument, {c.word}, [&] { (void)fit(options, 1); });
  }
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
