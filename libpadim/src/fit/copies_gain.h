#pragma once

#include "base/worker_pool.h"
#include "padim/model.h"
#include "statistics/segments.h"

namespace padim {

/// Whether augmented copies describe frames that the fit has not seen: the mean log-likelihood per dimension of the
/// stored frames, each left out with its copies and near copies, under the fit with copies less that without any.
/// segments: settled, of 8 frames at least.
[[nodiscard]] double copies_gain(const Segments& segments, const ModelInfo& info, WorkerPool& pool);

}  // namespace padim
