#pragma once

#include <vector>

#include "base/worker_pool.h"
#include "padim/model.h"
#include "statistics/embedding_set.h"
#include "statistics/near_copies.h"

namespace padim {

/// Over the median: what scores more is unlike the others beyond doubt. A hand or a cover scores 3.5 times the median
/// and more, the strangest normal frames up to 1.8 times.
inline constexpr double kGrossRatio = 2;

/// Frames unlike all others among those of a fit.
struct Outliers {
  std::vector<int> frames;    ///< rising
  std::vector<double> ratio;  ///< of each: its leave-one-out score over the median
  bool inconsistent = false;  ///< more than 30 % would have been: none are named
};

/// Frames whose leave-one-out score, near copies of the frame left out as well, lies far above the others': in
/// logarithms, more than four robust standard deviations above the median, and at least 1.25 times it among images,
/// twice in a stream. Repeated without them, three times at most. Fewer than 5 frames have no outliers. `info` as
/// finish_model() takes it. distances: pairwise_distances() of the frames.
[[nodiscard]] Outliers find_outliers(const EmbeddingSet& frames, const Eigen::MatrixXf& distances,
                                     const ModelInfo& info, WorkerPool& pool);

}  // namespace padim
