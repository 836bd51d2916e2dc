// Welford's update in batches: a batch of B embeddings with mean m has the co-moment C^T C, C = X - m (rows times the
// roots of their weights, where they have any); two sets a, b
// merge by (Chan, Golub, LeVeque 1983) M = M_a + M_b + n_a n_b / n * delta delta^T, delta = mean_b - mean_a. The
// correction is one more row of C, sqrt(n_a n_b / n) * delta, so that each batch reads and writes the big M once. Must
// match numpy's cov in double precision to 1e-5 of the largest variance, in any batch split.

#include "statistics/gaussian.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <numeric>
#include <string>
#include <utility>

#include "base/packed_triangle.h"
#include "padim/error.h"
#include "statistics/gaussian_kernel.h"

namespace padim {
namespace {

constexpr double kLeastCount = 2 - 1e-4;  // two frames, which may be made of fractions

std::vector<int> counting_indices(int positions, std::span<const std::uint8_t> counts) {
  std::vector<int> indices;
  for (int p = 0; p < positions; ++p) {
    if (counts.empty() || counts[static_cast<std::size_t>(p)] != 0) indices.push_back(p);
  }
  return indices;
}

// nu S_w / (N - 1 + nu); empty for none.
std::vector<double> scaled_prior(const Regularisation& regularisation, std::size_t triangle, double scale) {
  if (regularisation.prior == 0) return {};
  if (regularisation.pooled.size() != triangle) {
    throw Error(ErrorCode::invalid_argument, "a prior needs a pooled covariance of " + std::to_string(triangle) +
                                                 " elements; " + std::to_string(regularisation.pooled.size()) +
                                                 " were given");
  }
  std::vector<double> prior(regularisation.pooled.begin(), regularisation.pooled.end());
  for (double& value : prior) value *= regularisation.prior * scale;
  return prior;
}

}  // namespace

Gaussian::Gaussian(int positions, int dimensions)
    : positions_(positions),
      dimensions_(dimensions),
      mean_(static_cast<std::size_t>(positions) * static_cast<std::size_t>(dimensions)),
      comoment_(static_cast<std::size_t>(positions) * triangle_size(dimensions) + kTrianglePadding) {}

Gaussian::Gaussian(const GaussianView& view)
    : positions_(view.positions),
      dimensions_(view.dimensions),
      count_(view.count),
      mean_(view.mean.begin(), view.mean.end()) {
  comoment_.reserve(view.comoment.size() + kTrianglePadding);
  comoment_.assign(view.comoment.begin(), view.comoment.end());
  comoment_.resize(view.comoment.size() + kTrianglePadding);
}

std::span<const float> Gaussian::comoment() const {
  return std::span(comoment_).first(comoment_.size() - kTrianglePadding);
}

std::int64_t Gaussian::bytes(int positions, int dimensions) {
  return static_cast<std::int64_t>(sizeof(float)) * positions *
         (dimensions + static_cast<std::int64_t>(triangle_size(dimensions)));
}

void Gaussian::add(std::span<const float> embeddings, int frames, WorkerPool& pool) {
  const std::vector<float> weights(static_cast<std::size_t>(std::max(frames, 0)), 1.0F);
  add(embeddings, weights, pool);
}

void Gaussian::add(std::span<const float> embeddings, std::span<const float> weights, WorkerPool& pool) {
  EmbeddingSet set{positions_, dimensions_, {}};
  for (std::size_t i = 0; i < weights.size(); ++i) {
    set.frames.push_back(embeddings.subspan(i * mean_.size(), mean_.size()));
  }
  add(set, weights, pool);
}

void Gaussian::add(const EmbeddingSet& embeddings, std::span<const float> weights, WorkerPool& pool) {
  const std::vector<Batch> batches = batches_of(weights);
  pool.split(positions_, [&](int begin, int end) {
    std::vector<float> centered((kBatch + 1) * static_cast<std::size_t>(dimensions_));
    for (int p = begin; p < end; ++p) {
      for (const Batch& batch : batches) add_at(p, embeddings, batch, weights, centered);
    }
  });
  for (const Batch& batch : batches) count_ += batch.added;
}

std::vector<Gaussian::Batch> Gaussian::batches_of(std::span<const float> weights) const {
  std::vector<Batch> batches;
  double total = count_;
  for (std::size_t first = 0; first < weights.size(); first += kBatch) {
    const std::size_t frames = std::min(kBatch, weights.size() - first);
    const auto own = weights.subspan(first, frames);
    const double added = std::accumulate(own.begin(), own.end(), 0.0);
    if (added <= 0) continue;
    const double before = std::exchange(total, total + added);
    batches.push_back({first, frames, added, static_cast<float>(added / total),
                       static_cast<float>(std::sqrt(before * added / total))});
  }
  return batches;
}

void Gaussian::add_at(int position, const EmbeddingSet& embeddings, const Batch& batch,
                      std::span<const float> all_weights, std::vector<float>& centered) {
  const auto d = static_cast<std::size_t>(dimensions_);
  const std::span<const float> weights = all_weights.subspan(batch.first, batch.frames);
  std::array<const float*, kBatch> rows{};
  std::array<float, kBatch> roots{};
  for (std::size_t b = 0; b < batch.frames; ++b) {
    rows[b] = embeddings.at(static_cast<int>(batch.first + b), position);
    roots[b] = std::sqrt(weights[b]);
  }
  float* mean = mean_.data() + static_cast<std::size_t>(position) * d;
  float* correction = centered.data() + batch.frames * d;
  for (std::size_t j = 0; j < d; ++j) {
    float sum = 0;
    for (std::size_t b = 0; b < batch.frames; ++b) sum += weights[b] * rows[b][j];
    const float batch_mean = sum / static_cast<float>(batch.added);
    for (std::size_t b = 0; b < batch.frames; ++b) centered[b * d + j] = roots[b] * (rows[b][j] - batch_mean);
    const float delta = batch_mean - mean[j];
    correction[j] = batch.correction * delta;
    mean[j] += batch.share * delta;
  }
  add_outer_products(centered.data(), static_cast<int>(batch.frames) + 1, dimensions_,
                     comoment_.data() + static_cast<std::size_t>(position) * triangle_size(dimensions_));
}

Gaussian gaussian_of(const EmbeddingSet& embeddings, std::span<const float> weights, WorkerPool& pool) {
  Gaussian gaussian(embeddings.positions, embeddings.dimensions);
  gaussian.add(embeddings, weights, pool);
  return gaussian;
}

void Gaussian::merge(const GaussianView& other, double weight_of_other, WorkerPool& pool) {
  const double added = other.count * weight_of_other;
  if (added == 0) return;
  const auto d = static_cast<std::size_t>(dimensions_);
  const std::size_t triangle = triangle_size(dimensions_);
  const double total = count_ + added;
  const auto share = static_cast<float>(added / total);
  const auto weight = static_cast<float>(std::sqrt(count_ * added / total));
  const auto factor = static_cast<float>(weight_of_other);
  pool.split(positions_, [&](int begin, int end) {
    std::vector<float> correction(d);
    for (int p = begin; p < end; ++p) {
      float* mean = mean_.data() + static_cast<std::size_t>(p) * d;
      const float* other_mean = other.mean.data() + static_cast<std::size_t>(p) * d;
      for (std::size_t j = 0; j < d; ++j) {
        const float delta = other_mean[j] - mean[j];
        correction[j] = weight * delta;
        mean[j] += share * delta;
      }
      float* comoment = comoment_.data() + static_cast<std::size_t>(p) * triangle;
      const float* other_comoment = other.comoment.data() + static_cast<std::size_t>(p) * triangle;
      for (std::size_t j = 0; j < triangle; ++j) comoment[j] += factor * other_comoment[j];
      add_outer_products(correction.data(), 1, dimensions_, comoment);
    }
  });
  count_ = total;
}

void Gaussian::scale(double factor, WorkerPool& pool) {
  const auto by = static_cast<float>(factor);
  pool.split(positions_, [&](int begin, int end) {
    const std::size_t triangle = triangle_size(dimensions_);
    const auto first = comoment_.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(begin) * triangle);
    const auto last = comoment_.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(end) * triangle);
    std::transform(first, last, first, [by](float value) { return value * by; });
  });
  count_ *= factor;
}

void Gaussian::reset() {
  count_ = 0;
  std::fill(mean_.begin(), mean_.end(), 0.0F);
  std::fill(comoment_.begin(), comoment_.end(), 0.0F);
}

double GaussianView::mean_variance(std::span<const std::uint8_t> counts) const {
  if (count < kLeastCount) return 0;
  double sum = 0;
  int counting = 0;
  for (int p = 0; p < positions; ++p) {
    if (!counts.empty() && counts[static_cast<std::size_t>(p)] == 0) continue;
    ++counting;
    const float* triangle = comoment.data() + static_cast<std::size_t>(p) * triangle_size(dimensions);
    for (int i = 0; i < dimensions; ++i) {
      sum += static_cast<double>(triangle[triangle_row(i) + static_cast<std::size_t>(i)]);
    }
  }
  return sum / (count - 1) / (static_cast<double>(counting) * dimensions);
}

// Threads share the elements and not the positions, so that each sum is added up in the order of the positions.
std::vector<double> pooled_covariance(const GaussianView& gaussian, std::span<const std::uint8_t> counts,
                                      WorkerPool& pool) {
  const std::size_t triangle = triangle_size(gaussian.dimensions);
  std::vector<double> pooled(triangle);
  const std::vector<int> counting = counting_indices(gaussian.positions, counts);
  if (gaussian.count < kLeastCount || counting.empty()) return pooled;
  const double divisor = static_cast<double>(counting.size()) * (gaussian.count - 1);
  pool.split(static_cast<int>(triangle), [&](int begin, int end) {
    const auto first = static_cast<std::size_t>(begin);
    const std::span<double> sums = std::span(pooled).subspan(first, static_cast<std::size_t>(end - begin));
    for (const int p : counting) {
      const float* comoment = gaussian.comoment.data() + static_cast<std::size_t>(p) * triangle + first;
      for (std::size_t k = 0; k < sums.size(); ++k) sums[k] += static_cast<double>(comoment[k]);
    }
    for (double& sum : sums) sum /= divisor;
  });
  return pooled;
}

std::vector<std::uint16_t> whiten(const GaussianView& gaussian, const Regularisation& regularisation,
                                  WorkerPool& pool) {
  if (gaussian.count < kLeastCount) {
    throw Error(ErrorCode::numeric, "a covariance needs at least 2 frames; " +
                                        std::to_string(static_cast<std::int64_t>(gaussian.count)) + " were given");
  }
  const int d = gaussian.dimensions;
  const std::size_t triangle = triangle_size(d);
  const double scale = 1.0 / (gaussian.count - 1 + regularisation.prior);
  const std::vector<double> prior = scaled_prior(regularisation, triangle, scale);
  std::vector<std::uint16_t> whitener(static_cast<std::size_t>(gaussian.positions) * triangle + kTrianglePadding);
  std::atomic<int> failed = -1;
  pool.split(gaussian.positions, [&](int begin, int end) {
    std::vector<double> scratch(whitening_scratch(d));
    for (int p = begin; p < end; ++p) {
      const auto at = static_cast<std::size_t>(p) * triangle;
      if (!whiten(gaussian.comoment.data() + at, prior.empty() ? nullptr : prior.data(), d, scale,
                  regularisation.epsilon, scratch.data(), whitener.data() + at)) {
        failed = p;
      }
    }
  });
  if (failed >= 0) {
    throw Error(ErrorCode::numeric, "the covariance at patch position " + std::to_string(failed.load()) +
                                        " cannot be whitened with epsilon " + std::to_string(regularisation.epsilon) +
                                        ": raise epsilon, or check that the frames are finite and not all alike");
  }
  return whitener;
}

}  // namespace padim
