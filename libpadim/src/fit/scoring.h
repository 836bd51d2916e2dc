#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/worker_pool.h"
#include "padim/model.h"
#include "statistics/embedding_set.h"
#include "statistics/gaussian.h"
#include "statistics/leave_out.h"

namespace padim {

/// Gaussians, regularised as the model that `info` describes and whitened. Throws what whiten() throws.
struct WhitenedGaussians {
  WhitenedGaussians(const GaussianView& gaussian, const ModelInfo& info, WorkerPool& pool);

  [[nodiscard]] WhitenedFit fit() const { return {gaussian.mean, whitener, gaussian.count, prior}; }

  GaussianView gaussian;  ///< must outlive this object
  double epsilon;         ///< absolute
  double prior;
  std::vector<std::uint16_t> whitener;
};

/// Distances of embeddings to the Gaussians: [n, P], in their order.
[[nodiscard]] std::vector<float> distances_to(const WhitenedFit& fit, const EmbeddingSet& embeddings,
                                              const ModelInfo& info, WorkerPool& pool);

/// Raw image scores of embeddings, in their order.
[[nodiscard]] std::vector<float> image_scores(const WhitenedFit& fit, const EmbeddingSet& embeddings,
                                              const ModelInfo& info, WorkerPool& pool);

/// Raw image scores of distances [n, P].
[[nodiscard]] std::vector<float> image_scores(std::span<const float> distances, const ModelInfo& info);

}  // namespace padim
