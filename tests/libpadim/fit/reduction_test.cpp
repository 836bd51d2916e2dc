// Reductions from the fit through the model's file to detection.

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "embedding/semi_orthogonal.h"
#include "expect_error.h"
#include "fake_backbone.h"
#include "fit/basis_pass.h"
#include "model/io.h"
#include "model/tensors.h"
#include "padim/detector.h"
#include "padim/fitter.h"
#include "random_numbers.h"
#include "scratch_folder.h"

namespace padim::test {
namespace {

constexpr Size kFrame{64, 48};
constexpr int kChannels = 3 * FakeBackbone::kChannels;
const std::vector<ReductionKind> kProjections = {ReductionKind::semi_orthogonal, ReductionKind::pca};
const std::vector<ReductionKind> kAll = {ReductionKind::none, ReductionKind::random, ReductionKind::semi_orthogonal,
                                         ReductionKind::pca};

class Picture {
 public:
  explicit Picture(int number) : bytes_(random_bytes(std::size_t{64} * 48 * 3, static_cast<std::uint32_t>(number))) {
    for (std::size_t i = 0; i < bytes_.size(); ++i) {
      bytes_[i] = static_cast<std::uint8_t>(60 + bytes_[i] / 8 + (i / 3 % 64 + static_cast<std::size_t>(number)) % 64);
    }
  }

  [[nodiscard]] ImageView view() const {
    ImageView view;
    view.width = kFrame.width;
    view.height = kFrame.height;
    view.data[0] = bytes_.data();
    view.stride[0] = std::ptrdiff_t{kFrame.width} * 3;
    return view;
  }

 private:
  std::vector<std::uint8_t> bytes_;
};

std::shared_ptr<const Backbone> backbone() { return std::make_shared<FakeBackbone>(); }

FitOptions fit_options(ReductionKind kind, int dimensions = 6) {
  FitOptions options;
  options.reduction = kind;
  options.dimensions = dimensions;
  options.input_size = kFrame;
  options.grid = Grid::finest;
  options.threads = 1;
  return options;
}

enum class Passes { one, two };

Model fit(const FitOptions& options, int frames = 20, Passes passes = Passes::one) {
  Fitter fitter(backbone(), options);
  for (int i = 0; passes == Passes::two && i < frames; ++i) fitter.observe(Picture(i).view());
  for (int i = 0; i < frames; ++i) fitter.add(Picture(i).view());
  return fitter.finish();
}

double score(const Model& model, int number = 1000) {
  return Detector(backbone(), model).detect(Picture(number).view()).raw_score;
}

// Every reduction comes back from its file with the same numbers and the same scores.
TEST(Reduction, SurvivesTheFile) {
  const ScratchFolder folder;
  for (const ReductionKind kind : kAll) {
    SCOPED_TRACE(to_string(kind));
    const Model model = fit(fit_options(kind));
    model.save(folder / "m.padim");
    const Model loaded = Model::load(folder / "m.padim");
    EXPECT_EQ(loaded.info(), model.info());
    EXPECT_EQ(loaded.id(), model.id());
    EXPECT_EQ(loaded.info().reduction.kind, kind);
    EXPECT_EQ(loaded.info().dimensions, kind == ReductionKind::none ? kChannels : 6);
    EXPECT_EQ(loaded.projection().size(), is_projection(kind) ? kChannels * 6U : 0U);
    EXPECT_TRUE(std::equal(loaded.projection().begin(), loaded.projection().end(), model.projection().begin()));
    EXPECT_EQ(score(loaded), score(model));
    EXPECT_EQ(score(loaded.stripped()), score(model));
    EXPECT_EQ(parse_reduction(to_string(kind)), kind);
  }
  expect_error(ErrorCode::invalid_argument, {"npca", "semi-orthogonal"}, [] { (void)parse_reduction("npca"); });
}

// A projection to as many dimensions as there are channels is a rotation: with an absolute epsilon every distance
// stays.
TEST(Reduction, FullProjectionsKeepAllDistances) {
  FitOptions options = fit_options(ReductionKind::none);
  options.epsilon = 0.5;
  const double expected = score(fit(options));
  for (const ReductionKind kind : kProjections) {
    options.reduction = kind;
    options.dimensions = kChannels;
    EXPECT_NEAR(score(fit(options)), expected, 2e-3 * expected) << to_string(kind);
  }
}

TEST(Reduction, SemiOrthogonalIsTheDocumentedMatrix) {
  FitOptions options = fit_options(ReductionKind::semi_orthogonal);
  options.seed = 77;
  const Model model = fit(options);
  const std::vector<float> expected = semi_orthogonal(77, kChannels, 6);
  ASSERT_EQ(model.projection().size(), expected.size());
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), model.projection().begin()));
}

// One pass over frames that are all kept gives what a first pass over them gives; a basis of fewer frames than the
// fit's is another one.
TEST(Reduction, PcaNeedsNoFirstPass) {
  FitOptions options = fit_options(ReductionKind::pca);
  options.false_alarm_rate = std::nullopt;  // the pictures repeat themselves, and all of them shall count
  for (const int frames : {20, kBasisFrames - 1, kBasisFrames}) {
    const Model once = fit(options, frames);
    const Model twice = fit(options, frames, Passes::two);
    EXPECT_EQ(once.info(), twice.info()) << frames;
    EXPECT_EQ(once.id(), twice.id()) << frames;
  }
  const Model early = fit(options, kBasisFrames + 20);
  const Model whole = fit(options, kBasisFrames + 20, Passes::two);
  EXPECT_EQ(early.info().frames, kBasisFrames + 20);
  EXPECT_NE(early.id(), whole.id());
  EXPECT_NEAR(score(early), score(whole), 0.3 * score(whole));
}

// Frames that wait for the basis count as fitted; observed ones do not. A first pass is for before the fit.
TEST(Reduction, CountsFramesThatWaitForTheBasis) {
  FitOptions options = fit_options(ReductionKind::pca);
  Fitter fitter(backbone(), options);
  EXPECT_TRUE(fitter.wants_first_pass());
  for (int i = 0; i < kBasisFrames + 4; ++i) {
    fitter.add(Picture(i).view());
    EXPECT_EQ(fitter.frames(), i + 1);
    EXPECT_FALSE(fitter.wants_first_pass());
  }
  expect_error(ErrorCode::invalid_argument, {"first pass", "pca"}, [&] { fitter.observe(Picture(0).view()); });

  Fitter observed(backbone(), options);
  for (int i = 0; i < 12; ++i) observed.observe(Picture(i).view());
  EXPECT_EQ(observed.frames(), 0);
  EXPECT_TRUE(observed.wants_first_pass());
  expect_error(ErrorCode::numeric, {"at least 2", "0 were"}, [&] { (void)observed.finish(); });

  Fitter other(backbone(), fit_options(ReductionKind::random));
  EXPECT_FALSE(other.wants_first_pass());
  expect_error(ErrorCode::invalid_argument, {"pca"}, [&] { other.observe(Picture(0).view()); });
}

// A fit that goes on keeps its projection; its frames alone do not change it.
TEST(Reduction, StaysInAFitThatGoesOn) {
  const ScratchFolder folder;
  for (const ReductionKind kind : kProjections) {
    FitOptions options = fit_options(kind);
    options.batch_size = 1;
    options.false_alarm_rate = std::nullopt;  // all frames shall count
    const Model first = fit(options);
    first.save(folder / "m.padim");
    Fitter fitter(backbone(), Model::load(folder / "m.padim"), options);
    EXPECT_FALSE(fitter.wants_first_pass());
    for (int i = 20; i < 30; ++i) fitter.add(Picture(i).view());
    const Model resumed = fitter.finish();
    EXPECT_EQ(resumed.info().frames, 30);
    ASSERT_EQ(resumed.projection().size(), first.projection().size());
    EXPECT_TRUE(std::equal(first.projection().begin(), first.projection().end(), resumed.projection().begin()));
    Fitter elsewhere(backbone(), options);
    for (int i = 0; i < 20 && elsewhere.wants_first_pass(); ++i) elsewhere.observe(Picture(i).view());
    for (int i = 30; i < 40; ++i) elsewhere.add(Picture(i).view());
    const Model merged = merge(first, elsewhere.finish());
    EXPECT_TRUE(std::equal(first.projection().begin(), first.projection().end(), merged.projection().begin()));
  }
}

// Models whose bases are of different frames have nothing in common, although their settings are equal.
TEST(Reduction, RefusesToMergeOtherBases) {
  const FitOptions options = fit_options(ReductionKind::pca);
  const Model one = fit(options, 20);
  const Model other = fit(options, 30);
  expect_error(ErrorCode::mismatch, {"projections differ", one.id(), other.id()}, [&] { (void)merge(one, other); });
}

TEST(Reduction, RefusesDimensionsOutsideTheirRange) {
  for (const ReductionKind kind : {ReductionKind::random, ReductionKind::semi_orthogonal, ReductionKind::pca}) {
    for (const int dimensions : {0, -3, kChannels + 1}) {
      expect_error(ErrorCode::invalid_argument, {"1..15"}, [&] { Fitter(backbone(), fit_options(kind, dimensions)); });
    }
  }
}

/// A model file whose checksum is right and whose content is not.
class Forged {
 public:
  explicit Forged(ReductionKind kind)
      : model_(fit(fit_options(kind))), info_(model_.info()), tensors_(ModelTensors::of(model_)) {}

  ModelInfo& info() { return info_; }
  ModelTensors& tensors() { return tensors_; }

  void expect_refused(std::initializer_list<std::string> words) const {
    write_model(folder_ / "forged.padim", info_, tensors_);
    expect_error(ErrorCode::bad_format, words, [&] { (void)Model::load(folder_ / "forged.padim"); });
  }

 private:
  ScratchFolder folder_;
  Model model_;
  ModelInfo info_;
  ModelTensors tensors_;
};

// A matrix that is missing, has another size or holds what is not finite is named; a hostile size asks for no memory.
TEST(Reduction, RefusesForgedMatrices) {
  for (const ReductionKind kind : kProjections) {
    {
      Forged forged(kind);
      forged.tensors().projection.matrix = {};
      forged.expect_refused({"tensor 'projection' is missing"});
    }
    {
      Forged forged(kind);
      auto& matrix = forged.tensors().projection.matrix;
      matrix = matrix.first(matrix.size() - 6);
      forged.expect_refused({"'projection'", "another shape"});
    }
    {
      Forged forged(kind);
      std::vector<float> broken(forged.tensors().projection.matrix.begin(), forged.tensors().projection.matrix.end());
      broken[17] = std::nanf("");
      forged.tensors().projection.matrix = broken;
      forged.expect_refused({"'projection' is not finite"});
    }
    {
      Forged forged(kind);
      forged.info().taps.back().channels = 1 << 16;
      forged.expect_refused({"'projection'", "another shape"});
    }
    {
      Forged forged(kind);
      forged.info().taps.back().channels = (1 << 30) + 7;
      forged.expect_refused({"'taps'"});
    }
    {
      Forged forged(kind);
      forged.info().taps.assign(1000, forged.info().taps.front());
      forged.expect_refused({"'taps'"});
    }
    {
      Forged forged(kind);
      forged.info().reduction.channels = {1, 2, 3, 4, 5, 6};
      forged.expect_refused({"'channels'"});
    }
  }
  Forged forged(ReductionKind::random);
  forged.info().reduction.channels.clear();
  forged.expect_refused({"'channels'"});
}

// A subset of taps is what the model records, sets the grid and is found again by detection and by fits that go on.
TEST(Taps, AreASubset) {
  const struct {
    std::vector<std::string> names;
    std::vector<std::string> used;
    Size positions;
  } cases[] = {
      {{}, {"fine", "middle", "coarse"}, {16, 12}},
      {{"middle"}, {"middle"}, {8, 6}},
      {{"coarse", "fine"}, {"fine", "coarse"}, {16, 12}},
      {{"fine", "middle"}, {"fine", "middle"}, {16, 12}},
  };
  const ScratchFolder folder;
  for (const auto& c : cases) {
    for (const ReductionKind kind : kAll) {
      SCOPED_TRACE(to_string(kind) + ", " + c.used.front());
      FitOptions options = fit_options(kind, 4);
      options.taps = c.names;
      fit(options).save(folder / "m.padim");
      const Model model = Model::load(folder / "m.padim");
      std::vector<std::string> used;
      for (const TapInfo& tap : model.info().taps) used.push_back(tap.name);
      EXPECT_EQ(used, c.used);
      EXPECT_EQ(model.info().positions, c.positions);
      const int channels = static_cast<int>(used.size()) * FakeBackbone::kChannels;
      EXPECT_EQ(model.info().dimensions, kind == ReductionKind::none ? channels : 4);
      EXPECT_GT(score(model), 0);
      Fitter resumed(backbone(), model, options);
      resumed.add(Picture(30).view());
      EXPECT_EQ(resumed.finish().info().taps, model.info().taps);
    }
  }
}

TEST(Taps, AreNamedWhereTheyDoNotFit) {
  FitOptions options = fit_options(ReductionKind::none);
  options.taps = {"fine", "layer9"};
  expect_error(ErrorCode::invalid_argument, {"'layer9'", "fine, middle, coarse"}, [&] { Fitter(backbone(), options); });
  options.taps = {"fine", "fine"};
  expect_error(ErrorCode::invalid_argument, {"twice"}, [&] { Fitter(backbone(), options); });
  options.taps = {"middle"};
  options.reduction = ReductionKind::random;
  options.dimensions = 6;
  expect_error(ErrorCode::invalid_argument, {"1..5"}, [&] { Fitter(backbone(), options); });
  const Model model = fit(fit_options(ReductionKind::none));
  for (const auto& change : std::initializer_list<void (*)(std::vector<TapInfo>&)>{
           [](std::vector<TapInfo>& taps) { taps[1].channels = 4; },
           [](std::vector<TapInfo>& taps) { taps[2].stride = 8; },
           [](std::vector<TapInfo>& taps) { std::swap(taps[0], taps[1]); },
           [](std::vector<TapInfo>& taps) { taps[0].name = "other"; }}) {
    ModelInfo info = model.info();
    change(info.taps);
    const auto tensors = std::make_shared<ModelTensors>(ModelTensors::of(model));
    expect_error(ErrorCode::mismatch, {"the taps differ", "channels, stride"},
                 [&] { Detector(backbone(), ModelTensors::make_model(info, tensors)); });
  }
}

// The sentences name the reduction.
TEST(Reduction, IsDescribed) {
  const struct {
    ReductionKind kind;
    const char* words;
  } cases[] = {
      {ReductionKind::none, "all 15 channels,"},
      {ReductionKind::random, "6 channels drawn with seed 1024"},
      {ReductionKind::semi_orthogonal, "6 random orthonormal directions (seed 1024)"},
      {ReductionKind::pca, "6 principal components"},
  };
  for (const auto& c : cases) {
    const std::string text = describe(fit(fit_options(c.kind)));
    EXPECT_NE(text.find(c.words), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace padim::test
