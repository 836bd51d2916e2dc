#pragma once

#include <optional>
#include <string>
#include <vector>

#include "padim/calibration.h"
#include "threshold/score_set.h"

namespace padim::tool {

/// A threshold that one could choose.
struct OperatingPoint {
  std::optional<double> rate;  ///< share of normal frames to expect above it; absent where it came about otherwise
  double threshold = 0;        ///< raw score
  bool extrapolated = false;   ///< the rate is less than the held-out scores measure
  bool in_force = false;       ///< it is the model's
};

/// What thresholds cost, in false alarms and in defects that are missed.
struct OperatingCurve {
  std::vector<OperatingPoint> points;  ///< by rising threshold: those of some rates, and the model's
  ScoreSet held_out;                   ///< normal frames, scored by models that had not seen them
  std::optional<ScoreSet> defects;
};

/// Of a fit that was calibrated: `calibration` must have held-out scores.
[[nodiscard]] OperatingCurve operating_curve(const Calibration& calibration, std::optional<ScoreSet> defects = {});

/// A table for people, at most 80 columns wide.
[[nodiscard]] std::string to_table(const OperatingCurve& curve);

}  // namespace padim::tool
