#pragma once

#include <string>
#include <vector>

#include "padim/export.h"

namespace padim {

/// What the frames of a fit are to one another; it decides how the threshold is calibrated (docs/calibration.md).
enum class SourceKind {
  stream,  ///< consecutive frames of a video or camera: neighbours are nearly copies, and light drifts
  images,  ///< separate pictures, each as good as the next
};

/// How the threshold came about, from normal frames only; or that a person has named it, while all else still tells of
/// the calibration.
struct Calibration {
  double threshold = 0;         ///< raw score T > 0 from which a frame is anomalous; shown as 0.5
  double false_alarm_rate = 0;  ///< wanted, per frame; 0: not calibrated
  SourceKind source = SourceKind::stream;
  int segments = 0;         ///< stream: K contiguous segments, each scored by a model of those well away from it
  double level = 0;         ///< stream: mean of the held-out scores of frames and of their copies
  double distinct = 0;      ///< images: how many they are, near copies counting as one
  double order_factor = 1;  ///< images: how much higher they score when left out with their neighbours in order
  /// "stream" (level times a factor of the rate), "images" (quantile of the leave-one-out scores), "stretch" (that of a
  /// learned stretch), "floor", "none" (not calibrated) or "chosen" (named by a person). Models of version 0.1 say
  /// "gumbel" or "conformal".
  std::string rule;
  /// Held-out raw image scores of the fit's own frames in their order, those of learned stretches last; at most 256, of
  /// one frame in so many where the fit had more.
  std::vector<float> scores;
  std::vector<int> stretches;  ///< how many of the last scores belong to each learned stretch

  friend bool operator==(const Calibration&, const Calibration&) = default;
};

/// The threshold that the calibration would have set for another false-alarm rate, 0 < rate < 1; of a calibration with
/// scores.
[[nodiscard]] PADIM_API double threshold_at(const Calibration& calibration, double false_alarm_rate);

}  // namespace padim
