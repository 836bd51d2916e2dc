#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/worker_pool.h"
#include "padim/geometry.h"

namespace padim {

/// Mahalanobis distances of an embedding to a model's Gaussians. Owns scratch memory; one thread at a time.
class Mahalanobis {
 public:
  /// mean: [P, d]. whitener: [P, d(d+1)/2] in panels, with at least kTrianglePadding readable elements behind it. Both
  /// must outlive this object. search_radius: 0..4.
  Mahalanobis(std::span<const float> mean, std::span<const std::uint16_t> whitener, Size positions, int dimensions,
              int search_radius);

  /// embedding: [P, d]; distances: [P], >= 0. The distance at a position is the smallest one to the Gaussians of the
  /// (2r+1)^2 positions around it that lie inside the grid.
  void run(std::span<const float> embedding, std::span<float> distances, WorkerPool& pool);

 private:
  void score_rows(std::span<const float> embedding, int part, int begin, int end);

  std::span<const float> mean_;
  std::span<const std::uint16_t> whitener_;
  Size positions_;
  int dimensions_;
  int radius_;
  std::vector<float> squares_;  // per part: [P] smallest squared distances so far
  std::vector<float> vectors_;  // per part: [d, kMaximumVectors]
};

}  // namespace padim
