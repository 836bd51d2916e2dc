#pragma once

#include <functional>
#include <vector>

#include "base/worker_pool.h"
#include "fit/scoring.h"
#include "padim/calibration.h"
#include "padim/model.h"
#include "statistics/segments.h"

namespace padim {

/// Called with the share that is done, 0..1; may throw.
using Step = std::function<void(double)>;

/// The threshold of a stream (docs/calibration.md): the stored frames of each segment, and their augmented copies, are
/// scored by a model of the stored frames that lie well away from them in time. `segments` settled, `model` of all of
/// them; `info` as finish_model() takes it. medians, where given: per segment, the median distances of its held-out
/// frames (scene_limits()); empty where nothing can be held out in segments.
[[nodiscard]] Calibration calibrate_stream(const Segments& segments, const WhitenedGaussians& model,
                                           const ModelInfo& info, WorkerPool& pool, const Step& step,
                                           std::vector<std::vector<float>>* medians = nullptr);

}  // namespace padim
