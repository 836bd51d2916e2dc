#pragma once

#include <functional>

#include "base/worker_pool.h"
#include "model/tensors.h"
#include "padim/model.h"
#include "statistics/segments.h"

namespace padim {

/// Where a model's threshold comes from.
enum class ThresholdPolicy {
  calibrate,  ///< block cross-calibration over everything seen
  keep,       ///< ModelInfo::calibration as it is: a refresh costs a fraction of a calibration
};

/// Computes a model from what a stream has shown: the merge of all segments, regularised (equation 1) and whitened, and
/// its threshold. `info` tells everything about it except the number of frames, an epsilon that is relative, and the
/// threshold where it is to be calibrated; info.calibration.false_alarm_rate is the wanted rate, 0 for no calibration.
/// `progress` as in Fitter::finish. Throws numeric (too few frames, covariance not positive definite), cancelled.
[[nodiscard]] Model finish_model(const Segments& segments, ModelInfo info, Projection projection,
                                 ThresholdPolicy policy, WorkerPool& pool, const std::function<bool(double)>& progress);

}  // namespace padim
