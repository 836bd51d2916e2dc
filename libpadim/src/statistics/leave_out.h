#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/worker_pool.h"
#include "padim/geometry.h"
#include "statistics/embedding_set.h"

namespace padim {

/// A fit that frames are taken out of again.
struct WhitenedFit {
  std::span<const float> mean;  ///< [P, d]
  std::span<const std::uint16_t>
      whitener;      ///< [P, d(d+1)/2] in panels, of Sigma = (M + nu S) / (N - 1 + nu) + epsilon I
  double count = 0;  ///< N
  double prior = 0;  ///< nu
};

/// Frames to be scored by the fit without some of its frames.
struct LeaveOut {
  std::vector<int> frames;   ///< into the embeddings
  std::vector<int> without;  ///< into the embeddings, each once
};

/// Distances of frames to the fit without others, in closed form: [all frames of all queries][P], in their order.
/// embeddings: of the fit; weights: what each of them counts in it. The distances are those of a fit without them that
/// keeps the pooled covariance S and whose epsilon is greater by (N - 1 + nu) / (N - 1 + nu - weight left out). With a
/// search radius, the smallest over the Gaussians around a position.
[[nodiscard]] std::vector<float> leave_out_distances(const WhitenedFit& fit, const EmbeddingSet& embeddings,
                                                     std::span<const float> weights, std::span<const LeaveOut> queries,
                                                     Size positions, int search_radius, WorkerPool& pool);

}  // namespace padim
