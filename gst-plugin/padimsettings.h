#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/output.h"
#include "padim/backbone.h"
#include "padim/detector.h"
#include "padim/fitter.h"
#include "padim/model.h"
#include "padim/overlay.h"
#include "padim/score_map.h"

namespace padim::gst {

/// What becomes of frames that are unlike all others of a fit; automatic: FitOptions::drop_outliers is not given.
enum class Outliers { automatic, drop, keep };

inline constexpr double kBackbonesPrior = -1;  ///< of the property: what the backbone recommends

enum class Mode { detect, fit, fit_then_detect, off };

enum class PostMessages { none, events, all };

enum class LatePolicy { reuse, block, drop };

enum OverlayFlag : unsigned {
  kOverlayHeatmap = 1u << 0,
  kOverlayContour = 1u << 1,
  kOverlayBoxes = 1u << 2,
  kOverlayText = 1u << 3,
};

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
/// allocates. The members' defaults are the properties' defaults, here as in FixedSettings.
struct LiveSettings {
  Mode mode = Mode::detect;
  unsigned inference_interval = 1;  ///< frames of which the network sees one
  LatePolicy late_policy = LatePolicy::reuse;
  double threshold = 0.5;  ///< shown score; 0.5 is the calibrated threshold
  unsigned overlay = kOverlayHeatmap | kOverlayText;
  unsigned overlay_text = kTextScore | kTextState;
  OverlayOptions look;  ///< but for its parts, which overlay and overlay_text choose: overlay_options()
  unsigned attach_meta = kMetaScore | kMetaRoi | kMetaAnalytics;
  PostMessages post_messages = PostMessages::events;
  std::uint64_t message_interval_ns = 0;  ///< running time between two padim-score
  RegionLimits regions;
  unsigned min_anomalous_frames = 1;
  std::uint64_t event_gap_ns = 1'000'000'000;
  unsigned adapt_half_life = 0;  ///< scored frames; 0: no adaptation

  friend bool operator==(const LiveSettings&, const LiveSettings&) = default;
};

/// What is in force from start to stop. Texts are as the user wrote them.
struct FixedSettings {
  std::string model_file;
  bool strip_model = false;              ///< of what only a fit that goes on needs, when it is saved
  BackboneOptions backbone{.name = {}};  ///< name empty: what the model names, or the library's default for a fit
  int threads = -1;
  std::string roi;                 ///< "x,y,width,height"; empty: the whole frame, or what the model says
  std::string mask_file;           ///< empty: none
  std::string input_size;          ///< of a fit, "WxH"; empty: chosen from the first frame
  unsigned fit_frames = 0;         ///< 0: until the end of the stream
  unsigned skip_frames = 0;        ///< at the start of a fit
  bool refit = false;              ///< fit-then-detect fits where there is a model, too
  double prior = kBackbonesPrior;  ///< FitOptions::prior
  Outliers outliers = Outliers::automatic;
  FitOptions fit;                    ///< but for what the above say
  std::string json_location;         ///< "-": standard output; empty: none
  std::uint64_t json_max_bytes = 0;  ///< 0: no limit

  friend bool operator==(const FixedSettings&, const FixedSettings&) = default;
};

/// Where a model is written.
struct ModelFile {
  std::string path;       ///< empty: nowhere
  bool stripped = false;  ///< without what only a fit that goes on needs
};

/// What a fit makes. What contradicts itself is refused where a fit starts, by fit_options(): other modes do not mind.
struct FitSetup {
  FitOptions options;  ///< but for what the texts say
  std::string roi;
  std::string input_size;
  std::uint64_t frames = 0;   ///< 0: until it is told to finish
  std::uint64_t skipped = 0;  ///< frames at the start that pass unseen: a camera's first ones
  ModelFile target;
  bool again = false;  ///< even where the target exists already
};

/// Which models score, and how.
struct DetectSetup {
  std::string model_file;    ///< that mode detect loads; empty: none
  BackboneOptions backbone;  ///< name empty: what the model names
  std::string roi;           ///< that a loaded model must have; empty: any
  DetectorOptions detector;
};

/// The fixed settings as start() finds them, each part for those who use it. The mask is decoded.
struct Setup {
  FitSetup fit;
  DetectSetup detect;
  std::string json_location;
  std::uint64_t json_max_bytes = 0;
};

/// Backbones are looked for in backbone_folders(). roles: files that others read or write. Throws what read_mask
/// throws, and invalid_argument where a file would be written that has a role or that the element reads or writes
/// besides.
[[nodiscard]] Setup make_setup(const FixedSettings& settings, FileRoles roles = {});

/// Throws invalid_argument where a model that is saved as `path` would overwrite a file that has a role, or another one
/// of the element than its model.
void check_model_path(const std::string& path, const FixedSettings& settings, FileRoles roles);

/// Throws invalid_argument for settings that contradict each other or cannot be read.
[[nodiscard]] FitOptions fit_options(const FitSetup& setup);

/// Throws invalid_argument for a number of threads that says nothing.
void check_threads(int threads);

/// Writes a model as `target` wants it. wanted: see Model::save. Throws cannot_write, cancelled.
void save(const Model& model, const ModelFile& target, const std::function<bool()>& wanted = {});

[[nodiscard]] OverlayOptions overlay_options(const LiveSettings& live);

}  // namespace padim::gst
