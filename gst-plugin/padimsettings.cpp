#include "padimsettings.h"

#include <string_view>

#include "gst-common/maskfile.h"
#include "padim/error.h"

namespace padim::gst {

namespace {

BackboneOptions backbone_options(const FixedSettings& settings, const std::vector<std::filesystem::path>& folders) {
  BackboneOptions options = settings.backbone;
  if (!settings.model_file.empty()) {
    const auto folder = std::filesystem::path(settings.model_file).parent_path();
    options.search_path.push_back(folder.empty() ? "." : folder);
  }
  options.search_path.insert(options.search_path.end(), folders.begin(), folders.end());
  return options;
}

}  // namespace

Setup make_setup(const FixedSettings& settings, const std::vector<std::filesystem::path>& folders) {
  const Mask mask = settings.mask_file.empty() ? Mask{} : read_mask(settings.mask_file);
  FitOptions fit = settings.fit;
  fit.mask = mask;
  fit.threads = settings.threads;
  return {
      .fit = {fit, settings.roi, settings.input_size, settings.fit_frames, {settings.model_file, settings.strip_model}},
      .detect = {settings.model_file, backbone_options(settings, folders), settings.roi, {settings.threads, mask}},
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

std::vector<std::filesystem::path> split_folders(const char* list) {
  std::vector<std::filesystem::path> folders;
  std::string_view rest = list == nullptr ? "" : list;
  while (!rest.empty()) {
    const auto colon = rest.find(':');
    const auto folder = rest.substr(0, colon);
    if (!folder.empty()) folders.emplace_back(folder);
    rest = colon == std::string_view::npos ? "" : rest.substr(colon + 1);
  }
  return folders;
}

}  // namespace padim::gst
