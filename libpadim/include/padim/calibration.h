#pragma once

#include <string>
#include <vector>

namespace padim {

/// How the threshold came about: block cross-calibration on normal frames only, not calibrated (rule "none"), or named
/// by a person (rule "chosen"), while all else still tells of the calibration.
struct Calibration {
  double threshold = 0;         ///< raw score T > 0 from which a frame is anomalous; shown as 0.5
  double false_alarm_rate = 0;  ///< wanted, per frame; 0: not calibrated
  int segments = 0;             ///< K contiguous segments, each scored by the model of all others; 0: not calibrated
  std::string rule;  ///< "gumbel", "stretch" (that of a learned stretch), "conformal", "floor", "none" or "chosen"
  std::vector<float> scores;  ///< the held-out raw image scores in stream order, those of learned stretches last

  friend bool operator==(const Calibration&, const Calibration&) = default;
};

}  // namespace padim
