// Equation 2, D(x) = sqrt((x - mean)^T Sigma^-1 (x - mean)) = ||W (x - mean)||, W = L^-1. x - mean is taken in float
// before the product. With a search radius the loop runs over Gaussians, not over patches: each whitener is read once
// and applied to all patches around it; each thread keeps its own minima, which are merged at the end.

#include "statistics/mahalanobis.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/packed_triangle.h"
#include "statistics/mahalanobis_kernel.h"

namespace padim {
namespace {

// A NaN is kept: a broken embedding must not pass for a normal one.
void keep_smaller(float& square, float candidate) {
  if (candidate < square || std::isnan(candidate)) square = candidate;
}

}  // namespace

Mahalanobis::Mahalanobis(std::span<const float> mean, std::span<const std::uint16_t> whitener, Size positions,
                         int dimensions, int search_radius)
    : mean_(mean), whitener_(whitener), positions_(positions), dimensions_(dimensions), radius_(search_radius) {}

void Mahalanobis::run(std::span<const float> embedding, std::span<float> distances, WorkerPool& pool) {
  const int count = positions_.width * positions_.height;
  const int parts = pool.threads();
  squares_.assign(static_cast<std::size_t>(parts) * static_cast<std::size_t>(count),
                  std::numeric_limits<float>::infinity());
  vectors_.resize(static_cast<std::size_t>(parts) * static_cast<std::size_t>(dimensions_) * kMaximumVectors);
  pool.split(parts, [&](int first, int last) {
    for (int part = first; part < last; ++part)
      score_rows(embedding, part, count * part / parts, count * (part + 1) / parts);
  });
  for (int p = 0; p < count; ++p) {
    float square = squares_[static_cast<std::size_t>(p)];
    for (int part = 1; part < parts; ++part) {
      keep_smaller(
          square,
          squares_[static_cast<std::size_t>(part) * static_cast<std::size_t>(count) + static_cast<std::size_t>(p)]);
    }
    distances[static_cast<std::size_t>(p)] = std::sqrt(square);
  }
}

void Mahalanobis::score_rows(std::span<const float> embedding, int part, int begin, int end) {
  const auto d = static_cast<std::size_t>(dimensions_);
  float* squares =
      squares_.data() + static_cast<std::size_t>(part) * static_cast<std::size_t>(positions_.width * positions_.height);
  float* vectors = vectors_.data() + static_cast<std::size_t>(part) * d * kMaximumVectors;
  std::array<int, kMaximumVectors> patches{};
  std::array<float, kMaximumVectors> norms{};
  int pending = 0;
  for (int q = begin; q < end; ++q) {
    const float* mean = mean_.data() + static_cast<std::size_t>(q) * d;
    const std::uint16_t* whitener = whitener_.data() + static_cast<std::size_t>(q) * triangle_size(dimensions_);
    const auto flush = [&] {
      for (int k = 0; k < pending; ++k) {
        const float* x = embedding.data() + static_cast<std::size_t>(patches[static_cast<std::size_t>(k)]) * d;
        for (std::size_t j = 0; j < d; ++j) {
          vectors[j * static_cast<std::size_t>(pending) + static_cast<std::size_t>(k)] = x[j] - mean[j];
        }
      }
      whitened_square_norms(whitener, dimensions_, vectors, pending, norms.data());
      for (int k = 0; k < pending; ++k) {
        keep_smaller(squares[patches[static_cast<std::size_t>(k)]], norms[static_cast<std::size_t>(k)]);
      }
      pending = 0;
    };
    const int x = q % positions_.width;
    const int y = q / positions_.width;
    for (int py = std::max(y - radius_, 0); py <= std::min(y + radius_, positions_.height - 1); ++py) {
      for (int px = std::max(x - radius_, 0); px <= std::min(x + radius_, positions_.width - 1); ++px) {
        patches[static_cast<std::size_t>(pending++)] = py * positions_.width + px;
        if (pending == kMaximumVectors) flush();
      }
    }
    if (pending > 0) flush();
  }
}

}  // namespace padim
