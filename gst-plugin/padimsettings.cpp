#include "padimsettings.h"

#include "gst-common/backbonefolders.h"
#include "gst-common/maskfile.h"
#include "padim/error.h"

namespace padim::gst {

FitOptions fit_options(const Settings& settings) {
  if (settings.epsilon > 0 && settings.relative_epsilon > 0) {
    throw Error(ErrorCode::invalid_argument,
                "epsilon and relative-epsilon are both set: set one of them, or neither for the backbone's default");
  }
  FitOptions options;
  options.grid = settings.grid;
  options.reduction = settings.reduction;
  options.dimensions = static_cast<int>(settings.dimensions);
  options.seed = settings.seed;
  if (settings.epsilon > 0) options.epsilon = settings.epsilon;
  if (settings.relative_epsilon > 0) options.relative_epsilon = settings.relative_epsilon;
  options.search_radius = static_cast<int>(settings.search_radius);
  options.geometry = settings.geometry;
  options.input_size = parse_size(settings.input_size);
  options.roi = parse_roi(settings.roi);
  options.mask = mask_of(settings);
  options.false_alarm_rate = settings.false_alarm_rate;
  options.batch_size = static_cast<int>(settings.batch_size);
  options.augment = static_cast<int>(settings.fit_augment);
  options.threads = settings.threads;
  return options;
}

void save(const Model& model, const std::string& file, const Settings& settings) {
  (settings.strip_model ? model.stripped() : model).save(file);
}

Mask mask_of(const Settings& settings) { return settings.mask_file.empty() ? Mask{} : read_mask(settings.mask_file); }

BackboneOptions backbone_options(const Settings& settings, const std::string& name) {
  if (settings.threads == 0) {
    throw Error(ErrorCode::invalid_argument, "threads is 0: set -1 for the default, or 1 and more");
  }
  BackboneOptions options;
  options.name = name;
  options.weights_file = settings.backbone_file;
  options.search_path = backbone_folders(settings.model_file);
  options.device = settings.device;
  options.precision = settings.precision;
  return options;
}

OverlayOptions overlay_options(const LiveSettings& live) {
  OverlayOptions options;
  options.parts.heatmap = (live.overlay & kOverlayHeatmap) != 0;
  options.parts.contour = (live.overlay & kOverlayContour) != 0;
  options.parts.boxes = (live.overlay & kOverlayBoxes) != 0;
  options.parts.text = (live.overlay & kOverlayText) != 0 && live.overlay_text != 0;
  options.base = live.output == Output::map ? OverlayBase::map : OverlayBase::frame;
  options.colormap = live.colormap;
  options.opacity = live.overlay_opacity;
  options.floor = live.overlay_floor;
  return options;
}

}  // namespace padim::gst
