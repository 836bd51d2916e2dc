#pragma once

#include <string>
#include <vector>

namespace padim {

/// What the frames of a fit are to one another; it decides how the threshold is calibrated (docs/calibration.md).
enum class SourceKind {
  stream,  ///< consecutive frames of a video or camera: neighbours are nearly copies, and light drifts
  images,  ///< separate pictures, each as good as the next
};

/// How the threshold came about, from normal frames only.
struct Calibration {
  double threshold = 0;         ///< raw score T > 0 from which a frame is anomalous; shown as 0.5
  double false_alarm_rate = 0;  ///< wanted, per frame; 0: not calibrated
  SourceKind source = SourceKind::stream;
  int segments = 0;     ///< stream: K contiguous segments, each scored by a model of those well away from it; images: 0
  double distinct = 0;  ///< images: how many they are, near copies counting as one; stream: 0
  /// "stream" (level of the held-out scores times a factor of the rate), "images" (quantile of the leave-one-out
  /// scores), "stretch" (that of a learned stretch), "floor", or "none": not calibrated. Models of version 0.1 say
  /// "gumbel" or "conformal".
  std::string rule;
  /// Held-out raw image scores of the fit's own frames in their order, those of learned stretches last; at most 256 and
  /// one in so many frames where the fit had more.
  std::vector<float> scores;

  friend bool operator==(const Calibration&, const Calibration&) = default;
};

}  // namespace padim
