#include "padim/model.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/logging.h"
#include "base/sha256.h"
#include "model/info_json.h"
#include "model/io.h"
#include "model/tensors.h"
#include "padim/error.h"
#include "scene/cause.h"

namespace padim {
namespace {

std::string name_of(const Model& model) {
  return "model " + model.id() + " of " + std::to_string(model.info().frames) + " frames";
}

std::string what_is_in(const Model& model) {
  return ", threshold " + short_text(model.info().calibration.threshold) +
         (model.resumable() ? "" : ", without statistics");
}

}  // namespace

struct Model::Impl {
  ModelInfo info;
  std::shared_ptr<const ModelTensors> tensors;
  std::string id;
};

Model::Model(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

const ModelTensors& ModelTensors::of(const Model& model) { return *model.impl_->tensors; }

Model ModelTensors::make_model(ModelInfo info, std::shared_ptr<const ModelTensors> tensors) {
  constexpr std::size_t kIdDigits = 12;
  Sha256 hash;
  hash.update(std::as_bytes(tensors->mean));
  hash.update(std::as_bytes(tensors->whitener));
  hash.update(std::as_bytes(tensors->projection.matrix));
  std::string id = to_hex(hash.finish()).substr(0, kIdDigits);
  return Model(std::make_shared<const Model::Impl>(Model::Impl{std::move(info), std::move(tensors), std::move(id)}));
}

Model ModelTensors::with_info(const Model& model, ModelInfo info) {
  return Model(std::make_shared<const Model::Impl>(Model::Impl{std::move(info), model.impl_->tensors, model.id()}));
}

Model Model::load(const std::filesystem::path& file) {
  LoadedModel loaded = read_model(file);
  Model model = ModelTensors::make_model(std::move(loaded.info), std::move(loaded.tensors));
  log(LogLevel::info, [&] { return name_of(model) + " read from '" + file.string() + "'" + what_is_in(model); });
  return model;
}

void Model::save(const std::filesystem::path& file) const {
  write_model(file, impl_->info, *impl_->tensors);
  log(LogLevel::info, [&] { return name_of(*this) + " written to '" + file.string() + "'" + what_is_in(*this); });
}

const ModelInfo& Model::info() const { return impl_->info; }
std::span<const float> Model::mean() const { return impl_->tensors->mean; }
std::span<const std::uint16_t> Model::whitener() const { return impl_->tensors->whitener; }
std::span<const float> Model::comoment() const { return impl_->tensors->comoment; }
std::span<const float> Model::projection() const { return impl_->tensors->projection.matrix; }
const std::string& Model::id() const { return impl_->id; }
bool Model::resumable() const { return impl_->tensors->segments != nullptr; }

Model Model::stripped() const {
  auto tensors = std::make_shared<ModelTensors>(*impl_->tensors);
  tensors->comoment = {};
  tensors->comoment_owner.reset();
  tensors->segments.reset();
  return Model(std::make_shared<const Impl>(Impl{impl_->info, std::move(tensors), impl_->id}));
}

namespace {

std::string tap_names(const ModelInfo& info) {
  std::string names;
  for (const TapInfo& tap : info.taps) names += (names.empty() ? "" : ", ") + tap.name;
  return names;
}

std::string channels_sentence(const ModelInfo& info) {
  const std::string dimensions = std::to_string(info.dimensions);
  const std::string seed = std::to_string(info.reduction.seed);
  switch (info.reduction.kind) {
    case ReductionKind::random:
      return dimensions + " channels drawn with seed " + seed;
    case ReductionKind::semi_orthogonal:
      return "all channels projected to " + dimensions + " random orthonormal directions (seed " + seed + ")";
    case ReductionKind::pca:
      return "all channels projected to their " + dimensions + " principal components";
    default:
      return "all " + dimensions + " channels";
  }
}

std::string epsilon_sentence(const ModelInfo& info) {
  const std::string value = "Covariances are regularised by epsilon " + short_text(info.epsilon);
  return info.relative_epsilon > 0 ? value + ", " + short_text(info.relative_epsilon) + " of the mean variance."
                                   : value + ".";
}

// Below as many scores as the conformal quantile needs.
std::string extrapolation_sentence(const Calibration& calibration) {
  const double needed = std::ceil(1 / calibration.false_alarm_rate - 1 - 1e-9);
  if (static_cast<double>(calibration.scores.size()) >= needed) return "";
  return " Fewer than " + short_text(needed) +
         " scores make it an extrapolation; where frames are few it errs on the high side, and more normal footage "
         "lowers it.";
}

std::string threshold_sentence(const Calibration& calibration) {
  if (calibration.segments == 0)
    return "The threshold is raw score " + short_text(calibration.threshold) + ", not calibrated.";
  std::string why = "the Gumbel quantile of";
  if (calibration.rule == "stretch") why = "the Gumbel quantile of a learned stretch among";
  if (calibration.rule == "conformal") why = "the conformal quantile of";
  if (calibration.rule == "floor") why = "the smallest threshold there is, because the frames were nearly alike, above";
  return "The threshold is raw score " + short_text(calibration.threshold) + " (shown as 0.5): " + why + " " +
         std::to_string(calibration.scores.size()) + " held-out normal scores for a wanted false-alarm rate of " +
         short_text(calibration.false_alarm_rate) + " per frame; each of " + std::to_string(calibration.segments) +
         " contiguous segments was scored by the model of all others." + extrapolation_sentence(calibration);
}

std::string look_sentence(const Geometry& geometry) {
  std::string sentence;
  const Rectangle& roi = geometry.roi;
  if (roi.width > 0) {
    sentence += "Only the " + to_string(Size{roi.width, roi.height}) + " pixels from (" + std::to_string(roi.x) + ", " +
                std::to_string(roi.y) + ") on are looked at.\n";
  }
  if (!geometry.mask.empty()) {
    const auto ignored = std::count(geometry.mask.begin(), geometry.mask.end(), 0);
    sentence += "A mask ignores " +
                short_text(100.0 * static_cast<double>(ignored) / static_cast<double>(geometry.mask.size())) +
                " % of what is looked at.\n";
  }
  return sentence;
}

std::string scene_sentences(const ModelInfo& info) {
  if (!info.scene || info.calibration.segments == 0) return "";
  const std::string sentences = blank_sentences(*info.scene);
  return sentences.empty() ? "" : sentences + "\n";
}

}  // namespace

std::string describe(const Model& model) {
  const ModelInfo& info = model.info();
  return "PaDiM model " + model.id() + ", fitted on " + std::to_string(info.frames) + " frames of " +
         to_string(info.geometry.fitted_frame) + ".\n" + "Backbone " + info.backbone + " (weights " +
         info.weights_sha256.substr(0, 8) + "), taps " + tap_names(info) + ", " + channels_sentence(info) + ", grid " +
         to_string(info.grid) + ": " + to_string(info.positions) + " patch positions, network input " +
         to_string(info.geometry.input) + ", geometry " + to_string(info.geometry.mode) + ", search radius " +
         std::to_string(info.search_radius) + ".\n" + look_sentence(info.geometry) + epsilon_sentence(info) + "\n" +
         threshold_sentence(info.calibration) + "\n" + scene_sentences(info);
}

std::string to_json(const Model& model) {
  nlohmann::ordered_json json = info_to_json(model.info());
  json["id"] = model.id();
  return json.dump();
}

std::string to_string(Grid grid) { return grid == Grid::coarsest ? "coarsest" : "finest"; }

Grid parse_grid(const std::string& name) {
  if (name == "coarsest") return Grid::coarsest;
  if (name == "finest") return Grid::finest;
  throw Error(ErrorCode::invalid_argument, "grid '" + name + "' is unknown: use coarsest or finest");
}

std::string to_string(ReductionKind kind) {
  switch (kind) {
    case ReductionKind::random:
      return "random";
    case ReductionKind::semi_orthogonal:
      return "semi-orthogonal";
    case ReductionKind::pca:
      return "pca";
    default:
      return "none";
  }
}

ReductionKind parse_reduction(const std::string& name) {
  for (const ReductionKind kind :
       {ReductionKind::none, ReductionKind::random, ReductionKind::semi_orthogonal, ReductionKind::pca}) {
    if (name == to_string(kind)) return kind;
  }
  throw Error(ErrorCode::invalid_argument,
              "reduction '" + name + "' is unknown: use none, random, semi-orthogonal or pca");
}

}  // namespace padim
