#pragma once

#include "base/worker_pool.h"
#include "fit/scoring.h"
#include "fit/stream_calibration.h"
#include "padim/calibration.h"
#include "padim/model.h"
#include "statistics/calibration.h"
#include "statistics/segments.h"

namespace padim {

/// Scores of separate images, each by the model of all others. Parameters as of calibrate_stream().
[[nodiscard]] ImageScores leave_one_out(const Segments& segments, const WhitenedGaussians& model, const ModelInfo& info,
                                        WorkerPool& pool, const Step& step);

/// The threshold of separate images (docs/calibration.md): each is scored by the model of all others, near copies of it
/// left out as well. Parameters as of calibrate_stream().
[[nodiscard]] Calibration calibrate_images(const Segments& segments, const WhitenedGaussians& model,
                                           const ModelInfo& info, WorkerPool& pool, const Step& step);

}  // namespace padim
