#include "loadedmodel.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "backbonefactory.h"
#include "fitsession.h"
#include "padim/error.h"
#include "padim/model.h"
#include "systemtime.h"

namespace padim::gst {
namespace {

// The first run of a network plans its kernels and allocates its scratch memory. The time of the second is returned.
GstClockTime warm_up(Detector& detector) {
  const Size size = detector.model().info().geometry.fitted_frame;
  const std::vector<std::uint8_t> grey(static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height),
                                       128);
  ImageView frame;
  frame.format = PixelFormat::gray8;
  frame.width = size.width;
  frame.height = size.height;
  frame.data[0] = grey.data();
  frame.stride[0] = size.width;
  detector.detect(frame);
  const GstClockTime begin = system_time();
  detector.detect(frame);
  return time_since(begin);
}

void check_backbone(const DetectSetup& setup, const std::string& name) {
  const std::string& wanted = setup.backbone.name;
  if (wanted.empty() || wanted == name) return;
  throw Error(ErrorCode::invalid_argument, "model '" + setup.model_file + "' was fitted with backbone '" + name +
                                               "', but backbone is set to '" + wanted +
                                               "': leave backbone unset, or fit a model with it");
}

void check_roi(const DetectSetup& setup, const Geometry& geometry) {
  if (setup.roi.empty()) return;
  if (to_pixels(parse_roi(setup.roi), geometry.fitted_frame) == geometry.roi) return;
  throw Error(ErrorCode::invalid_argument, "model '" + setup.model_file + "' was not fitted with roi '" + setup.roi +
                                               "': leave roi unset, or fit a model with it");
}

// Whether they differ in nothing but what they learned.
bool alike(const Model& one, const Model& other) {
  const ModelInfo& a = one.info();
  const ModelInfo& b = other.info();
  return a.backbone == b.backbone && a.weights_sha256 == b.weights_sha256 && a.taps == b.taps && a.grid == b.grid &&
         a.reduction == b.reduction && a.dimensions == b.dimensions && a.geometry == b.geometry &&
         std::ranges::equal(one.projection(), other.projection());
}

LoadedModel make_ready(const DetectorOptions& options, std::shared_ptr<const Backbone> backbone, Model model) {
  LoadedModel loaded;
  loaded.detector = std::make_unique<Detector>(backbone, std::move(model), options);
  loaded.backbone = std::move(backbone);
  loaded.frame_time = warm_up(*loaded.detector);
  return loaded;
}

bool fitted_with(const ModelInfo& model, const std::shared_ptr<const Backbone>& backbone) {
  return backbone && backbone->info().name == model.backbone && backbone->info().weights_sha256 == model.weights_sha256;
}

// Who stopped a fit too early finds what became of it.
Model read(const std::string& file) try { return Model::load(file); } catch (const Error& error) {
  std::error_code ignored;
  if (error.code() != ErrorCode::not_found || !std::filesystem::exists(unfinished(file), ignored)) throw;
  throw Error(error.code(), std::string(error.what()) + "; '" + unfinished(file) +
                                "' is of a fit that was stopped before its end: rename it where it is good enough");
}

}  // namespace

const ModelInfo& info_of(const NewModel& model) {
  const auto* loaded = std::get_if<LoadedModel>(&model);
  return loaded != nullptr ? loaded->model().info() : std::get<Model>(model).info();
}

std::shared_ptr<const Backbone> open_named_backbone(BackboneOptions options, const std::string& name) {
  options.name = name;
  return make_backbone(options);
}

std::string fit_backbone(const DetectSetup& setup) {
  return setup.backbone.name.empty() ? BackboneOptions{}.name : setup.backbone.name;
}

NewModel make_new(const DetectorOptions& options, std::shared_ptr<const Backbone> backbone, Model model,
                  const std::optional<Model>& in_use) {
  if (in_use && alike(*in_use, model)) return model;
  return make_ready(options, std::move(backbone), std::move(model));
}

NewModel load_model(const DetectSetup& setup, std::shared_ptr<const Backbone> open,
                    const std::optional<Model>& in_use) {
  if (setup.model_file.empty()) {
    throw Error(ErrorCode::invalid_argument,
                "mode=detect has no model: set model-file to a .padim file, or fit one with mode=fit or "
                "fit-then-detect");
  }
  check_threads(setup.detector.threads);
  Model model = read(setup.model_file);
  const ModelInfo& info = model.info();
  check_backbone(setup, info.backbone);
  check_roi(setup, info.geometry);
  if (!fitted_with(info, open)) open = open_named_backbone(setup.backbone, info.backbone);
  return make_new(setup.detector, std::move(open), std::move(model), in_use);
}

}  // namespace padim::gst
