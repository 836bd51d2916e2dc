#include "padimsettings.h"

#include "gst-common/backbonefolders.h"
#include "gst-common/maskfile.h"
#include "padim/error.h"

namespace padim::gst {

namespace {

BackboneOptions backbone_options(const FixedSettings& settings) {
  BackboneOptions options = settings.backbone;
  options.search_path = backbone_folders(settings.model_file);
  return options;
}

}  // namespace

Setup make_setup(const FixedSettings& settings) {
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
              {settings.model_file, settings.strip_model}},
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

void save(const Model& model, const ModelFile& target) {
  (target.stripped ? model.stripped() : model).save(target.path);
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
