#pragma once

#include <cstdint>
#include <string>

#include "padim/backbone.h"
#include "padim/fitter.h"
#include "padim/geometry.h"
#include "padim/model.h"
#include "padim/overlay.h"

namespace padim::gst {

enum class Mode { detect, fit, fit_then_detect, off };

enum class PostMessages { none, events, all };

enum class LatePolicy { reuse, block, drop };

enum OverlayFlag : unsigned {
  kOverlayHeatmap = 1u << 0,
  kOverlayContour = 1u << 1,
  kOverlayBoxes = 1u << 2,
  kOverlayText = 1u << 3,
};

enum class Output { overlay, map };

enum TextFlag : unsigned {
  kTextScore = 1u << 0,
  kTextState = 1u << 1,
  kTextFps = 1u << 2,
};

enum MetaFlag : unsigned {
  kMetaScore = 1u << 0,
  kMetaRoi = 1u << 1,
  kMetaAnalytics = 1u << 2,
  kMetaTensor = 1u << 3,
};

/// What may change while playing. The streaming thread takes a copy for each frame, so it holds nothing that
/// allocates.
struct LiveSettings {
  Mode mode = Mode::detect;
  unsigned inference_interval = 1;  ///< frames of which the network sees one
  LatePolicy late_policy = LatePolicy::reuse;
  double threshold = 0.5;  ///< shown score; 0.5 is the calibrated threshold
  Output output = Output::overlay;
  unsigned overlay = kOverlayHeatmap | kOverlayText;
  unsigned overlay_text = kTextScore | kTextState;
  double overlay_opacity = OverlayOptions{}.opacity;
  double overlay_floor = OverlayOptions{}.floor;
  Colormap colormap = OverlayOptions{}.colormap;
  unsigned attach_meta = kMetaScore | kMetaRoi | kMetaAnalytics;
  PostMessages post_messages = PostMessages::events;
  std::uint64_t message_interval_ns = 0;  ///< running time between two padim-score
  unsigned max_regions = RegionLimits{}.count;
  double min_region_area = RegionLimits{}.area;
  unsigned min_anomalous_frames = 1;
  std::uint64_t event_gap_ns = 1'000'000'000;
  unsigned adapt_half_life = 0;  ///< scored frames; 0: no adaptation
};

/// Everything a user sets. The members' defaults are the properties' defaults.
struct Settings {
  LiveSettings live;

  std::string model_file;
  bool strip_model = false;  ///< of what only a fit that goes on needs, when it is saved
  std::string backbone;      ///< empty: what the model names, or the library's default for a fit
  std::string backbone_file;
  std::string device = BackboneOptions{}.device;
  Precision precision = BackboneOptions{}.precision;
  int threads = -1;
  std::string roi;                   ///< "x,y,width,height"; empty: the whole frame, or what the model says
  std::string mask_file;             ///< empty: none
  std::string json_location;         ///< "-": standard output; empty: none
  std::uint64_t json_max_bytes = 0;  ///< 0: no limit

  unsigned fit_frames = 0;   ///< 0: until the end of the stream
  unsigned fit_augment = 0;  ///< extra copies of each frame
  unsigned batch_size = 0;   ///< 0: the library chooses
  Grid grid = FitOptions{}.grid;
  unsigned search_radius = 0;
  ReductionKind reduction = FitOptions{}.reduction;
  unsigned dimensions = static_cast<unsigned>(FitOptions{}.dimensions);
  unsigned seed = static_cast<unsigned>(FitOptions{}.seed);
  GeometryMode geometry = FitOptions{}.geometry;
  std::string input_size;       ///< "WxH"; empty: chosen from the first frame
  double epsilon = 0;           ///< 0: the backbone's recommendation
  double relative_epsilon = 0;  ///< 0: likewise
  double false_alarm_rate = kStreamFalseAlarmRate;
};

/// Throws invalid_argument for settings that contradict each other, and what mask_of throws.
[[nodiscard]] FitOptions fit_options(const Settings& settings);

/// Writes a model as strip-model wants it. Throws cannot_write.
void save(const Model& model, const std::string& file, const Settings& settings);

/// The mask of mask-file, or an empty one. Throws not_found, cannot_read.
[[nodiscard]] Mask mask_of(const Settings& settings);

/// The backbone `name`, looked for beside the model file, then in the folders of $PADIM_BACKBONES.
[[nodiscard]] BackboneOptions backbone_options(const Settings& settings, const std::string& name);

[[nodiscard]] OverlayOptions overlay_options(const LiveSettings& live);

}  // namespace padim::gst
