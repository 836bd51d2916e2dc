#pragma once

#include <vector>

#include "padim/geometry.h"
#include "padim/score_map.h"

namespace padim {

/// The 8-connected parts of `map` whose raw scores reach `raw_threshold`, in pixels of a frame of size `frame`, by
/// falling score, as far as `limits` lets them be reported. Every part yields a box of at least one pixel inside the
/// frame, so `regions` is empty exactly when no value of the map reaches the threshold. NaN reaches nothing.
/// `calibrated` > 0 gives the shown scores. `regions` is overwritten, its memory reused. Callers that know the map's
/// maximum need not call for a normal frame.
void find_regions(const ScoreMap& map, double raw_threshold, double calibrated, const FrameMapping& mapping, Size frame,
                  const RegionLimits& limits, std::vector<Region>& regions);

}  // namespace padim
