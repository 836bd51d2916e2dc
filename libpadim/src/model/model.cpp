#include "padim/model.h"

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

void Model::save(const std::filesystem::path& file, const std::function<bool()>& wanted) const {
  write_model(file, impl_->info, *impl_->tensors, wanted);
  log(LogLevel::info, [&] { return name_of(*this) + " written to '" + file.string() + "'" + what_is_in(*this); });
}

const ModelInfo& Model::info() const { return impl_->info; }
std::span<const float> Model::mean() const { return impl_->tensors->mean; }
std::span<const std::uint16_t> Model::whitener() const { return impl_->tensors->whitener; }
std::span<const float> Model::comoment() const {
  return resumable() ? impl_->tensors->segments->get()->statistics().comoment : std::span<const float>();
}
std::span<const float> Model::projection() const { return impl_->tensors->projection.matrix; }
const std::string& Model::id() const { return impl_->id; }
bool Model::resumable() const { return impl_->tensors->segments != nullptr; }

Model Model::stripped() const {
  auto tensors = std::make_shared<ModelTensors>(*impl_->tensors);
  tensors->segments.reset();
  return Model(std::make_shared<const Impl>(Impl{impl_->info, std::move(tensors), impl_->id}));
}

Model Model::with_threshold(double threshold) const {
  if (!std::isfinite(threshold) || threshold <= 0) {
    throw Error(ErrorCode::invalid_argument, "threshold " + short_text(threshold) +
                                                 " is no raw score that can be one: give a finite number above 0");
  }
  ModelInfo info = impl_->info;
  info.calibration.threshold = threshold;
  info.calibration.rule = "chosen";
  return Model(std::make_shared<const Impl>(Impl{std::move(info), impl_->tensors, impl_->id}));
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

std::string to_string(AugmentKind kind) { return kind == AugmentKind::light ? "light" : "rotate"; }

AugmentKind parse_augment_kind(const std::string& name) {
  if (name == "light") return AugmentKind::light;
  if (name == "rotate") return AugmentKind::rotate;
  throw Error(ErrorCode::invalid_argument, "augmentation '" + name + "' is unknown: use light or rotate");
}

}  // namespace padim
