// A fit that stops and goes on, is merged, learns or forgets, against one fit over the same frames.

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "drifting_scene.h"
#include "expect_error.h"
#include "fit/embedding_fit.h"
#include "padim/detector.h"
#include "padim/fitter.h"
#include "padim/limits.h"
#include "scratch_folder.h"

namespace padim::test {
namespace {

Model fitted(int first, int last, FitOptions fit = options()) {
  Fitter fitter(backbone(), fit);
  add(fitter, first, last);
  return fitter.finish();
}

// Embeddings of frames as a model's detector computes them.
class Embedder {
 public:
  explicit Embedder(const Model& model) : detector_(backbone(), model) {}

  std::span<const float> operator()(const std::vector<std::uint8_t>& pixels) {
    detector_.detect(view_of(pixels));
    return detector_.embedding();
  }

 private:
  Detector detector_;
};

// Folds pictures first..last in.
void fold(EmbeddingFit& fit, Embedder& embed, int first, int last, WorkerPool& pool) {
  for (int i = first; i < last; ++i) fit.add(embed(picture(i)), Segments::Kind::real, pool);
}

void expect_near(std::span<const float> a, std::span<const float> b, double tolerance) {
  ASSERT_EQ(a.size(), b.size());
  double largest = 0;
  for (const float value : b) largest = std::max(largest, std::abs(static_cast<double>(value)));
  for (std::size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], tolerance * largest) << i;
}

void expect_same(const Model& model, const Model& expected, double tolerance = 1e-4) {
  EXPECT_EQ(model.info().frames, expected.info().frames);
  expect_near(model.mean(), expected.mean(), tolerance);
  expect_near(model.comoment(), expected.comoment(), tolerance);
  const Calibration& calibration = model.info().calibration;
  const Calibration& wanted = expected.info().calibration;
  EXPECT_EQ(calibration.segments, wanted.segments);
  ASSERT_EQ(calibration.scores.size(), wanted.scores.size());
  for (std::size_t i = 0; i < wanted.scores.size(); ++i) {
    EXPECT_NEAR(calibration.scores[i], wanted.scores[i], 2e-3 * static_cast<double>(wanted.scores[i])) << i;
  }
  EXPECT_NEAR(calibration.threshold, wanted.threshold, 2e-3 * wanted.threshold);
}

// Stopping, saving, loading and going on is the same as never stopping, wherever the stop falls.
TEST(Resume, GoesOnAsIfItHadNeverStopped) {
  const ScratchFolder folder;
  const Model whole = fitted(0, 75);
  for (const int stop : {4, 8, 31, 64, 74}) {
    fitted(0, stop).save(folder / "part.padim");
    Fitter fitter(backbone(), Model::load(folder / "part.padim"), options());
    EXPECT_EQ(fitter.frames(), stop);
    add(fitter, stop, 75);
    SCOPED_TRACE(stop);
    expect_same(fitter.finish(), whole);
  }
}

// A fitter that resumed leaves the model that it came from as it was, even while both share memory.
TEST(Resume, LeavesTheModelUntouched) {
  const Model model = fitted(0, 20);
  const std::vector<float> mean(model.mean().begin(), model.mean().end());
  Fitter fitter(backbone(), model, options());
  add(fitter, 20, 60);
  const Model longer = fitter.finish();
  EXPECT_NE(longer.id(), model.id());
  expect_near(model.mean(), mean, 0);
  Fitter again(backbone(), model, options());
  add(again, 20, 60);
  EXPECT_EQ(again.finish().id(), longer.id());
}

// A fit that goes on obeys the memory that it is given, however much the model's own had.
TEST(Resume, ObeysItsMemory) {
  const Model model = fitted(0, 64);
  ASSERT_GE(model.info().calibration.segments, 4);
  FitOptions small = options();
  small.max_statistics_bytes = 1;
  Fitter fitter(backbone(), model, small);
  add(fitter, 64, 100);
  const Model resumed = fitter.finish();
  EXPECT_LE(resumed.info().calibration.segments, 3);
  EXPECT_EQ(resumed.info().frames, 100);
  expect_near(resumed.mean(), fitted(0, 100).mean(), 1e-4);
  WorkerPool pool(1);
  EmbeddingFit learning(model, 1);
  EXPECT_LE(learning.prepare(ThresholdPolicy::calibrate, 1, pool)({}).info().calibration.segments, 3);
}

// The memory that a fit may take is that of its going on, less or more than what it began with.
TEST(Resume, TakesTheMemoryThatItIsAllowed) {
  FitOptions little = options();
  little.max_statistics_bytes = 1;
  const auto segments = [](const Model& begun, const FitOptions& fit) {
    Fitter fitter(backbone(), begun, fit);
    add(fitter, 64, 128);
    return fitter.finish().info().calibration.segments;
  };
  EXPECT_EQ(segments(fitted(0, 64), options()), 8);
  EXPECT_EQ(segments(fitted(0, 64), little), 2);
  EXPECT_EQ(segments(fitted(0, 64, little), little), 2);
  EXPECT_GT(segments(fitted(0, 64, little), options()), 3);
}

// Merging two fits is one fit over both, segments included; a merged model can be merged again.
TEST(Merge, EqualsOneFit) {
  const Model whole = fitted(0, 128);
  expect_same(merge(fitted(0, 64), fitted(64, 128)), whole);
  expect_same(merge(merge(fitted(0, 32), fitted(32, 64)), fitted(64, 128)), whole);
  // Where the lengths do not meet, the segments lie elsewhere, but the Gaussians are the same.
  const Model uneven = merge(fitted(0, 37), fitted(37, 128));
  expect_near(uneven.mean(), whole.mean(), 1e-4);
  expect_near(uneven.comoment(), whole.comoment(), 1e-4);
  EXPECT_GE(uneven.info().calibration.segments, 4);
  EXPECT_LE(uneven.info().calibration.segments, 8);
}

// A merged model knows what the frames of both looked like.
TEST(Merge, KnowsBothScenes) {
  const SceneReference one = *fitted(0, 40).info().scene;
  const SceneReference other = *fitted(200, 240).info().scene;
  const SceneReference both = *merge(fitted(0, 40), fitted(200, 240)).info().scene;
  EXPECT_EQ(both.appearance.least.luma, one.appearance.least.luma);
  EXPECT_EQ(both.appearance.most.luma, other.appearance.most.luma);
  EXPECT_GT(other.appearance.least.luma, one.appearance.most.luma);
}

// What does not fit together is refused, and the sentence names the difference.
TEST(Merge, NamesWhatDiffers) {
  const Model model = fitted(0, 8);
  struct Case {
    const char* difference;
    FitOptions options;
  };
  std::vector<Case> cases;
  const auto differing = [&](const char* difference, const auto& change) {
    FitOptions changed = options();
    change(changed);
    cases.push_back({difference, changed});
  };
  differing("grids", [](FitOptions& o) { o.grid = Grid::finest; });
  differing("search radii", [](FitOptions& o) { o.search_radius = 1; });
  differing("epsilons", [](FitOptions& o) { o.epsilon = 0.5; });
  differing("epsilons", [](FitOptions& o) { o.relative_epsilon = 0.5; });
  differing("network inputs", [](FitOptions& o) { o.input_size = {128, 96}; });
  differing("reductions", [](FitOptions& o) {
    o.reduction = ReductionKind::random;
    o.dimensions = 7;
  });
  for (const Case& c : cases) {
    expect_error(ErrorCode::mismatch, {"cannot be merged", c.difference},
                 [&] { (void)merge(model, fitted(0, 8, c.options)); });
  }
  expect_error(ErrorCode::invalid_argument, {"stripped"}, [&] { (void)merge(model, fitted(8, 16).stripped()); });
  expect_error(ErrorCode::invalid_argument, {"count twice", model.id()}, [&] { (void)merge(model, model); });
  const Model longer = merge(model, fitted(8, 16));
  expect_error(ErrorCode::invalid_argument, {"count twice", model.id()}, [&] { (void)merge(longer, model); });
  expect_error(ErrorCode::invalid_argument, {"stripped"}, [&] { Fitter(backbone(), model.stripped(), options()); });
  expect_error(ErrorCode::mismatch, {"resnet18"}, [&] { Fitter(std::make_shared<FakeBackbone>("resnet18"), model); });
}

// A stripped model scores as before, and is much smaller on the disk.
TEST(Strip, KeepsTheScores) {
  const ScratchFolder folder;
  const Model model = fitted(0, 40);
  model.save(folder / "whole.padim");
  model.stripped().save(folder / "stripped.padim");
  EXPECT_LT(std::filesystem::file_size(folder / "stripped.padim"),
            std::filesystem::file_size(folder / "whole.padim") / 4);
  const Model stripped = Model::load(folder / "stripped.padim");
  EXPECT_FALSE(stripped.resumable());
  EXPECT_EQ(stripped.id(), model.id());
  Detector whole(backbone(), model);
  Detector small(backbone(), stripped);
  EXPECT_EQ(whole.detect(view_of(picture(50))).raw_score, small.detect(view_of(picture(50))).raw_score);
}

// A learned stretch is a segment of its own even when it is short: what it shows counts for the threshold.
TEST(Learn, RaisesTheThresholdForANewLook) {
  const auto bright = [](int i) { return picture(i + 200, 0.6); };
  WorkerPool pool(1);
  const Model before = fitted(0, 96);
  Detector first(backbone(), before);
  EXPECT_TRUE(first.detect(view_of(bright(12))).anomalous);
  EmbeddingFit fit(before, kMaximumStatisticsBytes);
  Embedder embed(before);
  fit.begin_stretch();
  for (int i = 0; i < 10; ++i) fit.add(embed(bright(i)), Segments::Kind::real, pool);
  fit.end_stretch();
  const Model after = fit.prepare(ThresholdPolicy::calibrate, 1, pool)({});
  EXPECT_EQ(after.info().frames, 106);
  EXPECT_EQ(after.info().calibration.segments, before.info().calibration.segments + 1);
  EXPECT_GT(after.info().calibration.threshold, before.info().calibration.threshold);
  Detector second(backbone(), after);
  EXPECT_FALSE(second.detect(view_of(bright(12))).anomalous);
}

// Forgetting weighs each frame by 2^(-age / half-life): the mean against the closed form.
TEST(Forget, WeighsFramesByTheirAge) {
  constexpr int kFrames = 90;
  const double factor = std::exp2(-1.0 / 10);
  WorkerPool pool(1);
  const Model layout = fitted(0, 8);
  EmbeddingFit fit(layout.info(), {}, kMaximumStatisticsBytes);
  Embedder embed(layout);
  for (int i = 0; i < kFrames; ++i) {
    if (i > 0) fit.forget(factor);
    fold(fit, embed, i, i + 1, pool);
  }
  const Model model = fit.prepare(ThresholdPolicy::calibrate, 1, pool)({});
  std::vector<double> mean(model.mean().size());
  double total = 0;
  for (int i = 0; i < kFrames; ++i) {
    Fitter one(backbone(), options());
    for (int k = 0; k < 4; ++k) add(one, i, i + 1);
    const Model frame = one.finish();
    const double weight = std::pow(factor, kFrames - 1 - i);
    for (std::size_t j = 0; j < mean.size(); ++j) mean[j] += weight * static_cast<double>(frame.mean()[j]);
    total += weight;
  }
  for (std::size_t j = 0; j < mean.size(); ++j) ASSERT_NEAR(model.mean()[j], mean[j] / total, 1e-3) << j;
  EXPECT_LE(model.info().calibration.segments, 8);
}

// A job computes the model of its moment while the fit goes on, and `keep` keeps the threshold.
TEST(Prepare, IsIndependentOfTheFit) {
  WorkerPool pool(1);
  const Model model = fitted(0, 40);
  Embedder embed(model);
  EmbeddingFit fit(model, kMaximumStatisticsBytes);
  fold(fit, embed, 40, 50, pool);
  const auto then = fit.prepare(ThresholdPolicy::keep, 1, pool);
  EmbeddingFit reference(model, kMaximumStatisticsBytes);
  fold(reference, embed, 40, 50, pool);
  const Model expected = reference.prepare(ThresholdPolicy::keep, 1, pool)({});
  fold(fit, embed, 50, 90, pool);
  const Model refreshed = then({});
  EXPECT_EQ(refreshed.id(), expected.id());
  EXPECT_EQ(refreshed.info().frames, 50);
  EXPECT_EQ(refreshed.info().calibration, model.info().calibration);
}

// Augmented copies widen the Gaussians but are neither counted nor scored, and the same fit gives the same model.
TEST(Augment, WidensWithoutCounting) {
  FitOptions augmented = options();
  augmented.augment = 3;
  const Model plain = fitted(0, 40);
  const Model wide = fitted(0, 40, augmented);
  EXPECT_EQ(wide.info().frames, 40);
  EXPECT_EQ(wide.info().calibration.scores.size(), plain.info().calibration.scores.size());
  EXPECT_GT(wide.info().epsilon, 1.5 * plain.info().epsilon);  // a fraction of the mean variance
  EXPECT_EQ(wide.id(), fitted(0, 40, augmented).id());
  augmented.augment = 33;
  expect_error(ErrorCode::invalid_argument, {"augmented copies", "-1..32"}, [&] { Fitter(backbone(), augmented); });
}

// Turned copies are another kind: eight where no number is given, kept where the fit goes on, and not to be mixed with
// light ones.
TEST(Augment, RecordsItsKind) {
  FitOptions turned = options();
  turned.augment_kind = AugmentKind::rotate;
  turned.augment = -1;
  const Model model = fitted(0, 8, turned);
  EXPECT_EQ(model.info().augment, 8);
  EXPECT_EQ(model.info().augment_kind, AugmentKind::rotate);

  Fitter fitter(backbone(), model, options());
  add(fitter, 8, 16);
  EXPECT_EQ(fitter.finish().info().augment_kind, AugmentKind::rotate);

  FitOptions light = options();
  light.augment = 1;
  expect_error(ErrorCode::mismatch, {"cannot be merged", "augmented copies", "rotate", "light"},
               [&] { (void)merge(model, fitted(8, 16, light)); });
  light.augment = 0;
  EXPECT_EQ(merge(fitted(8, 16, light), model).info().augment_kind, AugmentKind::rotate);
}

// 16-bit pictures that were read with different ranges are not mixed; where nothing is recorded it was all 16 bits.
TEST(SampleBits, AreThoseOfTheWholeFit) {
  FitOptions narrow = options();
  narrow.sample_bits = 12;
  const Model model = fitted(0, 8, narrow);
  Fitter fitter(backbone(), model, options());
  add(fitter, 8, 16);
  EXPECT_EQ(fitter.finish().info().sample_bits, 12);
  expect_error(ErrorCode::mismatch, {"cannot be merged", "ranges of 16-bit pictures", "12 bits", "16 bits"},
               [&] { (void)merge(model, fitted(8, 16, options())); });
  EXPECT_EQ(merge(model, fitted(8, 16, narrow)).info().sample_bits, 12);
  FitOptions wide = options();
  wide.sample_bits = 16;
  EXPECT_NO_THROW((void)merge(fitted(0, 8, wide), fitted(8, 16, options())));
}

}  // namespace
}  // namespace padim::test
