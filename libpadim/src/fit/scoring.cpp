#include "fit/scoring.h"

#include <algorithm>

#include "image/mask.h"
#include "score/upsampling.h"
#include "statistics/mahalanobis.h"

namespace padim {
namespace {

constexpr double kSmallestEpsilon = 1e-6;  // for frames that are all alike, such as test patterns

double absolute_epsilon(const GaussianView& gaussian, const ModelInfo& info) {
  if (info.relative_epsilon == 0) return info.epsilon;
  const auto counts = counting_positions(info.geometry.mask, info.geometry.input, info.positions);
  return std::max(info.relative_epsilon * gaussian.mean_variance(counts), kSmallestEpsilon);
}

std::vector<std::uint16_t> whitened(const GaussianView& gaussian, double epsilon, const ModelInfo& info,
                                    WorkerPool& pool) {
  if (info.prior == 0) return whiten(gaussian, {epsilon}, pool);
  const auto counts = counting_positions(info.geometry.mask, info.geometry.input, info.positions);
  const std::vector<double> pooled = pooled_covariance(gaussian, counts, pool);
  return whiten(gaussian, {epsilon, info.prior, pooled}, pool);
}

}  // namespace

WhitenedGaussians::WhitenedGaussians(const GaussianView& view, const ModelInfo& info, WorkerPool& pool)
    : gaussian(view),
      epsilon(absolute_epsilon(view, info)),
      prior(info.prior),
      whitener(whitened(view, epsilon, info, pool)) {}

std::vector<float> distances_to(const WhitenedFit& fit, const EmbeddingSet& embeddings, const ModelInfo& info,
                                WorkerPool& pool) {
  const auto positions = static_cast<std::size_t>(embeddings.positions);
  std::vector<float> distances(embeddings.frames.size() * positions);
  Mahalanobis mahalanobis(fit.mean, fit.whitener, info.positions, embeddings.dimensions, info.search_radius);
  for (std::size_t i = 0; i < embeddings.frames.size(); ++i) {
    mahalanobis.run(embeddings.frames[i], std::span(distances).subspan(i * positions, positions), pool);
  }
  return distances;
}

std::vector<float> image_scores(const WhitenedFit& fit, const EmbeddingSet& embeddings, const ModelInfo& info,
                                WorkerPool& pool) {
  return image_scores(distances_to(fit, embeddings, info, pool), info);
}

std::vector<float> image_scores(std::span<const float> distances, const ModelInfo& info) {
  Upsampler upsampler(info.positions, info.geometry.input, info.geometry.mask);
  ScoreMap map;
  std::vector<float> scores;
  const auto positions =
      static_cast<std::size_t>(info.positions.width) * static_cast<std::size_t>(info.positions.height);
  for (std::size_t at = 0; at < distances.size(); at += positions) {
    scores.push_back(upsampler.run(distances.subspan(at, positions), map));
  }
  return scores;
}

}  // namespace padim
