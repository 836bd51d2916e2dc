#pragma once

#include <vector>

#include "eval/evaluation.h"
#include "threshold/operating_curve.h"

namespace padim::tool {

/// What one of the fit's thresholds does to the test images.
struct OperatingRow {
  OperatingPoint point;
  double held_out_share = 0;  ///< of the fit's own held-out scores that reach it
  AlarmCounts alarms;
};

/// By rising threshold; none where there is no label-free threshold.
[[nodiscard]] std::vector<OperatingRow> operating_rows(const ClassResult& result);

}  // namespace padim::tool
