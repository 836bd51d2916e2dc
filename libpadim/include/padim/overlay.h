#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "padim/detector.h"
#include "padim/export.h"
#include "padim/image_view.h"
#include "padim/limits.h"
#include "padim/scene.h"

namespace padim {

enum class Colormap { jet, turbo, inferno, viridis };

/// Shown score over which the heat map's opacity rises from 0 at the floor to `opacity` (a smoothstep): with the
/// default floor it is full at the calibrated threshold.
inline constexpr double kHeatRise = 0.2;

/// What is drawn; each part on its own.
struct OverlayParts {
  bool heatmap = true;
  bool contour = false;  ///< outline of what reaches the threshold
  bool boxes = false;    ///< bounding box and score of each region
  bool text = true;      ///< score and state, top left

  friend bool operator==(const OverlayParts&, const OverlayParts&) = default;
};

/// What the parts are drawn on.
enum class OverlayBase {
  frame,  ///< the frame as it is
  map,    ///< the heat map alone, opaque over the whole scale 0..1 (grey in gray8); black where nothing is looked at
};

/// What an overlay draws, and how. Ranges: padim/limits.h.
struct OverlayOptions {
  OverlayParts parts;
  Colormap colormap = Colormap::jet;
  double opacity = kOverlayOpacity.fallback;  ///< of the heat map from floor + kHeatRise on
  double floor = kOverlayFloor.fallback;      ///< shown score below which the heat map leaves pixels untouched
  OverlayBase base = OverlayBase::frame;

  friend bool operator==(const OverlayOptions&, const OverlayOptions&) = default;
};

/// What a caption says.
struct CaptionParts {
  bool score = true;                    ///< "0.73"
  bool state = true;                    ///< "ANOMALY" or "normal"
  double frame_rate = 0;                ///< frames per second, "29.9 fps"; 0: not said
  SceneCause scene = SceneCause::none;  ///< "scene changed: light"; none: not said
};

/// Replaces `text` by the caption of a detection; by nothing where no part is wanted.
PADIM_API void write_caption(const Detection& detection, const CaptionParts& parts, std::string& text);

/// Draws a detection on a frame, directly in the frame's pixel format. The heat map's scale is the model's calibration
/// (shown score 0..1), never the frame's own range, so that it does not flicker; cost is proportional to the hot area,
/// or to the frame's where the base is the map. Pixels outside what is drawn, padding bytes and alpha are untouched.
/// Owns scratch memory only; one thread at a time.
class PADIM_API Overlay {
 public:
  /// Throws invalid_argument for options outside their ranges.
  explicit Overlay(OverlayOptions options = {});
  ~Overlay();
  Overlay(Overlay&&) noexcept;
  Overlay& operator=(Overlay&&) noexcept;

  [[nodiscard]] const OverlayOptions& options() const noexcept;

  /// False where draw() would leave every pixel as it is: memory that others hold too need not be copied for it.
  [[nodiscard]] bool changes(const Detection& detection) const noexcept;

  /// `text` (UTF-8; what is not ASCII shows as '?') replaces the default caption ("0.73 ANOMALY" / "0.12 normal")
  /// where it is not empty. Whatever does not fit into the frame is clipped, or left out where it could not be read.
  /// Throws invalid_argument where the map's size and values contradict each other.
  void draw(const MutableImageView& frame, const Detection& detection, const std::string& text = {});

 private:
  struct PADIM_LOCAL Impl;
  std::unique_ptr<Impl> impl_;
};

[[nodiscard]] PADIM_API std::string to_string(Colormap colormap);
[[nodiscard]] PADIM_API Colormap parse_colormap(const std::string& name);  ///< throws invalid_argument

}  // namespace padim
