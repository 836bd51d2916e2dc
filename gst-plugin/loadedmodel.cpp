#include "loadedmodel.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "backbonefactory.h"
#include "padim/error.h"
#include "padim/model.h"

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
  const gint64 begin_us = g_get_monotonic_time();
  detector.detect(frame);
  return static_cast<GstClockTime>(g_get_monotonic_time() - begin_us) * GST_USECOND;
}

void check_backbone(const Settings& settings, const std::string& name) {
  if (settings.backbone.empty() || settings.backbone == name) return;
  throw Error(ErrorCode::invalid_argument, "model '" + settings.model_file + "' was fitted with backbone '" + name +
                                               "', but backbone is set to '" + settings.backbone +
                                               "': leave backbone unset, or fit a model with it");
}

void check_roi(const Settings& settings, const Geometry& geometry) {
  if (settings.roi.empty()) return;
  if (to_pixels(parse_roi(settings.roi), geometry.fitted_frame) == geometry.roi) return;
  throw Error(ErrorCode::invalid_argument, "model '" + settings.model_file + "' was not fitted with roi '" +
                                               settings.roi + "': leave roi unset, or fit a model with it");
}

}  // namespace

std::shared_ptr<const Backbone> open_named_backbone(const Settings& settings, const std::string& name) {
  return make_backbone(backbone_options(settings, name));
}

LoadedModel make_ready(const Settings& settings, std::shared_ptr<const Backbone> backbone, Model model) {
  LoadedModel loaded;
  loaded.detector =
      std::make_unique<Detector>(backbone, std::move(model), DetectorOptions{settings.threads, mask_of(settings)});
  loaded.backbone = std::move(backbone);
  loaded.frame_time = warm_up(*loaded.detector);
  return loaded;
}

LoadedModel load_model(const Settings& settings) {
  if (settings.model_file.empty()) {
    throw Error(ErrorCode::invalid_argument,
                "mode=detect has no model: set model-file to a .padim file, or fit one with mode=fit or "
                "fit-then-detect");
  }
  Model model = Model::load(settings.model_file);
  const std::string name = model.info().backbone;
  check_backbone(settings, name);
  check_roi(settings, model.info().geometry);
  return make_ready(settings, open_named_backbone(settings, name), std::move(model));
}

}  // namespace padim::gst
