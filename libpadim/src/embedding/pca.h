#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/worker_pool.h"
#include "statistics/gaussian.h"

namespace padim {

/// Principal components of the embeddings of all frames and positions, in one pass and memory that does not depend on
/// the number of frames. One thread at a time.
class Pca {
 public:
  Pca(int positions, int dimensions, const WorkerPool& pool);

  /// Adds one embedding [P, F].
  void add(std::span<const float> embedding, WorkerPool& pool);

  [[nodiscard]] std::int64_t frames() const { return frames_; }

  /// The `count` orthonormal directions of largest variance, by falling variance, as columns of [F, count] row-major;
  /// the largest component of each is positive. 1 <= count <= F. Throws numeric where the embeddings are not finite or
  /// there are none.
  [[nodiscard]] std::vector<float> components(int count) const;

 private:
  void merge(std::span<const float> mean, std::span<const float> comoment, double count);

  int dimensions_;
  Gaussian frame_;  // of one frame, in equal interleaved parts for the threads
  std::int64_t frames_ = 0;
  double count_ = 0;              // embedding vectors
  std::vector<double> mean_;      // [F]
  std::vector<double> comoment_;  // [F(F+1)/2] packed lower triangle by rows
};

}  // namespace padim
