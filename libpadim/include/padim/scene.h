#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>

#include "padim/export.h"

namespace padim {

/// How one frame looks as a whole: of the pixels of the network's input that count, in its luma (0..255).
struct Appearance {
  double luma = 0;       ///< mean, 0..255
  double contrast = 0;   ///< standard deviation, 0..127.5
  double sharpness = 0;  ///< root mean square of the steps between neighbours, over the contrast: a gain does not
                         ///< change it, blur lowers it; 0 for a flat picture

  friend bool operator==(const Appearance&, const Appearance&) = default;
};

/// The least and the largest of each over some frames; empty (least > most) before the first.
struct AppearanceRange {
  static constexpr double kNone = std::numeric_limits<double>::infinity();

  Appearance least{kNone, kNone, kNone};
  Appearance most{-kNone, -kNone, -kNone};

  friend bool operator==(const AppearanceRange&, const AppearanceRange&) = default;
};

/// The fitted scene, as far as it tells a scene that has changed from a place that is anomalous.
struct SceneReference {
  AppearanceRange appearance;      ///< of the fitted frames, without augmented copies
  std::int64_t longest_still = 0;  ///< most frames in a row whose picture was that of the frame before
  double median_distance = 0;      ///< largest, over the segments, lower quartile of the frames' median patch distance
                                   ///< by models of other segments; 0: not known
  int segments = 0;                ///< K, so many gave median_distance; 0: none, and distances are not monitored
  std::int64_t frames = 0;         ///< L, of the fit by then
  bool black_found = false;        ///< a black frame scores above the threshold
  bool white_found = false;        ///< likewise a white one

  friend bool operator==(const SceneReference&, const SceneReference&) = default;
};

/// What a changed scene looks like.
enum class SceneCause {
  none,       ///< it has not changed
  black,      ///< nothing but darkness
  white,      ///< nothing but brightness
  frozen,     ///< the very same picture again and again
  covered,    ///< the contrast has collapsed
  defocused,  ///< far less sharp than the fitted frames, but not less light or contrast
  light,      ///< brighter, darker, of more or less contrast than any fitted frame, and otherwise alike
  moved,      ///< none of these: the camera has moved, or something large stays in view
};

/// Its name above.
[[nodiscard]] PADIM_API std::string to_string(SceneCause cause);

/// What one picture shows by itself, whatever comes before and after it: black, white, covered (without any contrast),
/// or none. reference: the model's; darker or brighter than anything is only what the fit did not see.
[[nodiscard]] PADIM_API SceneCause blank_cause(const Appearance& now, const std::optional<SceneReference>& reference);

/// A sentence for whoever looks after the camera, without full stop; empty for none.
[[nodiscard]] PADIM_API std::string what_to_do(SceneCause cause);

/// What a scored frame tells about the scene: see Detection.
struct SceneFrame {
  std::int64_t at = 0;  ///< the caller's own: number or time of the frame, which comes back in a SceneChange
  Appearance appearance;
  std::int64_t repeats = 0;    ///< frames just before it that had the very same picture
  double median_distance = 0;  ///< of the patches that count
  bool anomalous = false;
};

/// A stretch of frames that do not show the fitted scene.
struct SceneChange {
  SceneCause cause = SceneCause::none;
  std::int64_t first = 0;  ///< SceneFrame::at of the frame with which it began
  std::int64_t last = 0;   ///< of the latest frame that is known to show it
};

/// What a frame changed: one change may give way to another.
struct SceneUpdate {
  std::optional<SceneChange> ended;
  std::optional<SceneChange> begun;
};

/// Tells "the whole picture has changed" from an anomaly of a place, on the scored frames of a stream in their order.
/// What shows at once (black, white, without any contrast) is said with the second such frame, a frozen picture with
/// the 32nd or when it has come twice as often as in the fit, its end with the second frame without it. Anything else
/// is said when the median patch distance was above that of the fit and half of the frames were anomalous in so many
/// consecutive blocks that it would happen by chance once in a thousand times; its end after one block without. Blocks
/// have an eighth of the fit's frames, 4 to 32. Whether a changed scene or a large thing that stays is seen, no
/// distance can tell. One thread at a time; nothing is allocated per frame.
class PADIM_API SceneMonitor {
 public:
  /// reference: the model's, ModelInfo::scene. Without one, only black, white and frozen pictures are noticed.
  explicit SceneMonitor(const std::optional<SceneReference>& reference = {});
  ~SceneMonitor();
  SceneMonitor(SceneMonitor&&) noexcept;
  SceneMonitor& operator=(SceneMonitor&&) noexcept;

  SceneUpdate observe(const SceneFrame& frame);

  /// The change that lasts; its `last` is that of the latest frame that showed it.
  [[nodiscard]] const std::optional<SceneChange>& change() const;

  /// Its cause, or none.
  [[nodiscard]] SceneCause cause() const;

  /// The stream ends or is interrupted: returns the change that lasted, and forgets all frames.
  std::optional<SceneChange> reset();

  /// Frames in a block, and blocks in a row that are needed; 0 where distances are not monitored.
  [[nodiscard]] int block_frames() const;
  [[nodiscard]] int blocks_needed() const;

 private:
  struct PADIM_LOCAL Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace padim
