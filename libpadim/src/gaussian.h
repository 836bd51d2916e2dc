#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "worker_pool.h"

namespace padim {

/// Mean and co-moment of the embeddings at every patch position, in one pass: mergeable, in memory that does not depend
/// on the number of frames. Order-independent up to float rounding.
class Gaussian {
 public:
  Gaussian(int positions, int dimensions);

  [[nodiscard]] int positions() const { return positions_; }
  [[nodiscard]] int dimensions() const { return dimensions_; }
  [[nodiscard]] std::int64_t count() const { return count_; }
  [[nodiscard]] std::span<const float> mean() const { return mean_; }  ///< [P, d]
  /// [P, d(d+1)/2] packed lower triangles by rows: sum over frames of (x - mean)(x - mean)^T.
  [[nodiscard]] std::span<const float> comoment() const;

  /// Adds `frames` embeddings [frames, P, d].
  void add(std::span<const float> embeddings, int frames, WorkerPool& pool);

  /// Adds what `other` has seen (same shape).
  void merge(const Gaussian& other, WorkerPool& pool);

  /// Forgets everything; keeps the memory.
  void reset();

  /// Mean of the unbiased variances over all positions and dimensions; 0 for fewer than 2 frames.
  [[nodiscard]] double mean_variance() const;

  /// Bytes that statistics of this shape occupy.
  [[nodiscard]] static std::int64_t bytes(int positions, int dimensions);

 private:
  int positions_;
  int dimensions_;
  std::int64_t count_ = 0;
  std::vector<float> mean_;
  std::vector<float> comoment_;  // with kTrianglePadding behind it
};

/// Inverse Cholesky factors of Sigma = M / (N - 1) + epsilon I (equation 1) for every position, in half precision,
/// packed in panels of 16 rows: [P, d(d+1)/2], followed by kTrianglePadding elements. Throws numeric where N < 2 or
/// Sigma is not positive definite.
[[nodiscard]] std::vector<std::uint16_t> whiten(const Gaussian& gaussian, double epsilon, WorkerPool& pool);

}  // namespace padim
