#pragma once

#include <vector>

#include "padim/export.h"
#include "padim/limits.h"

namespace padim {

/// Raw anomaly scores (smoothed Mahalanobis distances, >= 0, unbounded) at network-input size, row-major [height,
/// width].
struct ScoreMap {
  int width = 0;
  int height = 0;
  std::vector<float> values;

  [[nodiscard]] float at(int x, int y) const {
    return values[static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)];
  }
};

/// A connected part of the score map that reaches the threshold, in frame coordinates (pixels, clipped to the frame).
struct Region {
  int x = 0;
  int y = 0;
  int width = 0;
  int height = 0;
  double area = 0;   ///< frame pixels that reach the threshold; at most width * height
  double score = 0;  ///< shown score of its highest point, threshold..1
};

/// Which regions of an anomalous frame are reported; the strongest always is. Ranges: padim/limits.h.
struct RegionLimits {
  int count = kRegionCount.fallback;   ///< so many of the strongest
  double area = kRegionArea.fallback;  ///< fraction of the frame; regions that are smaller are left out

  friend bool operator==(const RegionLimits&, const RegionLimits&) = default;
};

/// Shown score of a raw one: raw / (raw + calibrated), in [0, 1), 0.5 at the calibrated threshold, strictly monotone
/// and the same for every frame. calibrated > 0.
[[nodiscard]] PADIM_API double shown_score(double raw, double calibrated);

/// Inverse of shown_score: the raw score that is shown as `shown`; infinite at 1.
[[nodiscard]] PADIM_API double raw_score(double shown, double calibrated);

}  // namespace padim
