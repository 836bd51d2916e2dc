#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/worker_pool.h"
#include "statistics/embedding_set.h"

namespace padim {

/// Statistics that somebody else owns: of a Gaussian, or of a model file.
struct GaussianView {
  int positions = 0;
  int dimensions = 0;
  double count = 0;                 ///< frames, discounted by scale()
  std::span<const float> mean;      ///< [P, d]
  std::span<const float> comoment;  ///< [P, d(d+1)/2] packed lower triangles by rows

  /// Mean of the unbiased variances over all dimensions of the positions that count; 0 for less than 2 frames.
  /// counts: [P], 0 for a position that does not; empty: all do.
  [[nodiscard]] double mean_variance(std::span<const std::uint8_t> counts = {}) const;
};

/// Mean and co-moment of the embeddings at every patch position, in one pass: mergeable, in memory that does not depend
/// on the number of frames. Order-independent up to float rounding.
class Gaussian {
 public:
  Gaussian(int positions, int dimensions);
  explicit Gaussian(const GaussianView& view);  ///< a copy

  [[nodiscard]] int positions() const { return positions_; }
  [[nodiscard]] int dimensions() const { return dimensions_; }
  [[nodiscard]] double count() const { return count_; }                ///< frames, discounted by scale()
  [[nodiscard]] std::span<const float> mean() const { return mean_; }  ///< [P, d]
  /// [P, d(d+1)/2] packed lower triangles by rows: sum over frames of (x - mean)(x - mean)^T.
  [[nodiscard]] std::span<const float> comoment() const;
  [[nodiscard]] GaussianView view() const { return {positions_, dimensions_, count_, mean_, comoment()}; }

  /// Adds embeddings, each counting as weights[i] frames, n = weights.size().
  void add(const EmbeddingSet& embeddings, std::span<const float> weights, WorkerPool& pool);

  /// The same for embeddings [n, P, d].
  void add(std::span<const float> embeddings, std::span<const float> weights, WorkerPool& pool);

  /// Adds `frames` embeddings [frames, P, d].
  void add(std::span<const float> embeddings, int frames, WorkerPool& pool);

  /// Adds what `other` has seen (same shape), each of its frames counting as `weight` frames.
  void merge(const GaussianView& other, double weight, WorkerPool& pool);

  /// Makes every frame seen so far count as `factor` frames: exponential forgetting. Mean and covariance stay.
  void scale(double factor, WorkerPool& pool);

  /// Forgets everything; keeps the memory.
  void reset();

  /// Bytes that statistics of this shape occupy.
  [[nodiscard]] static std::int64_t bytes(int positions, int dimensions);

 private:
  // Embeddings that are centred together, so few that they stay in the nearest cache.
  static constexpr std::size_t kBatch = 32;
  struct Batch {
    std::size_t first;
    std::size_t frames;
    double added;      // sum of the weights
    float share;       // of all frames so far
    float correction;  // factor of the distance between the means, which counts as one more row
  };

  [[nodiscard]] std::vector<Batch> batches_of(std::span<const float> weights) const;
  void add_at(int position, const EmbeddingSet& embeddings, const Batch& batch, std::span<const float> all_weights,
              std::vector<float>& centered);

  int positions_;
  int dimensions_;
  double count_ = 0;
  std::vector<float> mean_;
  std::vector<float> comoment_;  // with kTrianglePadding behind it
};

/// The statistics of embeddings, each counting as weights[i] frames.
[[nodiscard]] Gaussian gaussian_of(const EmbeddingSet& embeddings, std::span<const float> weights, WorkerPool& pool);

/// What is added to every position's covariance before it is whitened.
struct Regularisation {
  double epsilon = 0;                ///< on the diagonal
  double prior = 0;                  ///< nu: how many frames the pooled covariance weighs as
  std::span<const double> pooled{};  ///< S_w, packed [d(d+1)/2]; needed where prior > 0
};

/// Mean of the unbiased covariances of the positions that count: S_w, packed lower triangle by rows [d(d+1)/2]. Its
/// trace / d is mean_variance(). The same bits for any number of threads. Zeros for less than 2 frames.
/// counts: [P], 0 for a position that does not; empty: all do.
[[nodiscard]] std::vector<double> pooled_covariance(const GaussianView& gaussian, std::span<const std::uint8_t> counts,
                                                    WorkerPool& pool);

/// Inverse Cholesky factors of Sigma = (M + nu S_w) / (N - 1 + nu) + epsilon I (equation 1, where nu = 0) for every
/// position, in half precision, packed in panels of 16 rows: [P, d(d+1)/2], followed by kTrianglePadding elements.
/// Throws numeric where N < 2 or Sigma is not positive definite, invalid_argument where S_w is of another size.
[[nodiscard]] std::vector<std::uint16_t> whiten(const GaussianView& gaussian, const Regularisation& regularisation,
                                                WorkerPool& pool);

}  // namespace padim
