#include "padimsettings.h"

#include "gst-common/backbonefolders.h"
#include "gst-common/maskfile.h"
#include "jsonlines.h"
#include "padim/error.h"

namespace padim::gst {

namespace {

BackboneOptions backbone_options(const FixedSettings& settings) {
  BackboneOptions options = settings.backbone;
  options.search_path = backbone_folders(settings.model_file);
  return options;
}

// What the element reads besides its model.
void note_inputs(const FixedSettings& settings, FileRoles& roles) {
  roles.reads(settings.mask_file, "mask-file");
  BackboneOptions backbone = backbone_options(settings);
  if (backbone.name.empty()) backbone.name = BackboneOptions{}.name;
  note_backbone(backbone, roles);
}

}  // namespace

Setup make_setup(const FixedSettings& settings, FileRoles roles) {
  note_inputs(settings, roles);
  roles.writes(settings.model_file, "model-file");
  if (!settings.json_location.empty()) note_json_lines(settings.json_location, settings.json_max_bytes, roles);
  const MaskPicture mask = settings.mask_file.empty() ? MaskPicture{} : read_mask(settings.mask_file);
  FitOptions fit = settings.fit;
  fit.mask = mask;
  fit.threads = settings.threads;
  if (settings.prior != kBackbonesPrior) fit.prior = settings.prior;
  if (settings.outliers != Outliers::automatic) fit.drop_outliers = settings.outliers == Outliers::drop;
  return {
      .fit = {fit,
              settings.roi,
              settings.input_size,
              settings.fit_frames,
              settings.skip_frames,
              {settings.model_file, settings.strip_model},
              settings.refit},
      .detect = {settings.model_file, backbone_options(settings), settings.roi, {settings.threads, mask}},
      .json_location = settings.json_location,
      .json_max_bytes = settings.json_max_bytes,
  };
}

FitOptions fit_options(const FitSetup& setup) {
  if (setup.options.epsilon && setup.options.relative_epsilon) {
    throw Error(ErrorCode::invalid_argument,
                "epsilon and relative-epsilon are both set: set one of them, or neither for the backbone's default");
  }
  check_threads(setup.options.threads);
  FitOptions options = setup.options;
  options.input_size = parse_size(setup.input_size);
  options.roi = parse_roi(setup.roi);
  return options;
}

void check_threads(int threads) {
  if (threads != 0) return;
  throw Error(ErrorCode::invalid_argument, "threads is 0: set -1 for the default, or 1 and more");
}

void check_model_path(const std::string& path, const FixedSettings& settings, FileRoles roles) {
  note_inputs(settings, roles);
  if (!settings.json_location.empty()) roles.reads(settings.json_location, "json-location");
  roles.check(path, "save-model");
}

void save(const Model& model, const ModelFile& target, const std::function<bool()>& wanted) {
  (target.stripped ? model.stripped() : model).save(target.path, wanted);
}

OverlayOptions overlay_options(const LiveSettings& live) {
  OverlayOptions options = live.look;
  options.parts.heatmap = (live.overlay & kOverlayHeatmap) != 0;
  options.parts.contour = (live.overlay & kOverlayContour) != 0;
  options.parts.boxes = (live.overlay & kOverlayBoxes) != 0;
  options.parts.text = (live.overlay & kOverlayText) != 0 && live.overlay_text != 0;
  return options;
}

}  // namespace padim::gst
