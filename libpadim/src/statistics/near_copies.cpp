// Distances relative to the frames around, since what is near differs from scene to scene. Thresholds were chosen on
// eleven sets of photographs (no wrong pair in ten of them, whose pictures are not pairs by nature) and on loops of
// five recordings (all repeats found, none in fourteen natural stretches).

#include "statistics/near_copies.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <numeric>

namespace padim {
namespace {

constexpr float kNear = 0.5F;
constexpr float kStep = 0.9F;

float median(std::vector<float> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// To the nearest of the frames around it: two before and two after it, so that what blinks is not far from itself.
float step(const Eigen::MatrixXf& distances, int frame) {
  float nearest = std::numeric_limits<float>::infinity();
  const int last = std::min(frame + 2, static_cast<int>(distances.rows()) - 1);
  for (int i = std::max(frame - 2, 0); i <= last; ++i) {
    if (i != frame) nearest = std::min(nearest, distances(frame, i));
  }
  return nearest;
}

}  // namespace

Eigen::MatrixXf pairwise_distances(const EmbeddingSet& embeddings, WorkerPool& pool) {
  const Eigen::Index n = embeddings.size();
  const Eigen::Index d = embeddings.dimensions;
  Eigen::MatrixXd products = Eigen::MatrixXd::Zero(n, n);
  std::mutex mutex;
  pool.split(embeddings.positions, [&](int begin, int end) {
    Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> centred(n, d);
    Eigen::MatrixXd own = Eigen::MatrixXd::Zero(n, n);
    for (int p = begin; p < end; ++p) {
      for (int i = 0; i < embeddings.size(); ++i) {
        centred.row(i) = Eigen::Map<const Eigen::RowVectorXf>(embeddings.at(i, p), d);
      }
      centred.rowwise() -= centred.colwise().mean().eval();  // small numbers: their products round less
      own += (centred * centred.transpose()).cast<double>();
    }
    const std::lock_guard lock(mutex);
    products += own;
  });
  products = Eigen::MatrixXd(products.selfadjointView<Eigen::Lower>());  // both halves rounded alike
  const Eigen::VectorXd squares = products.diagonal();
  Eigen::MatrixXd distances = squares.replicate(1, n) + squares.transpose().replicate(n, 1) - 2 * products;
  distances.diagonal().setZero();
  return distances.cwiseMax(0).cwiseSqrt().cast<float>();
}

std::vector<std::vector<int>> near_copies(const Eigen::MatrixXf& distances) {
  const auto n = static_cast<int>(distances.rows());
  std::vector<std::vector<int>> copies(static_cast<std::size_t>(n));
  if (n < 3) return copies;
  const int kth = std::min(n - 1, std::max(4, (n + 5) / 6));
  const auto most = static_cast<std::size_t>(std::max(1, n / 4));
  for (int i = 0; i < n; ++i) {
    std::vector<int> nearest(static_cast<std::size_t>(n));
    std::iota(nearest.begin(), nearest.end(), 0);
    std::erase(nearest, i);
    std::ranges::stable_sort(nearest, {}, [&](int j) { return distances(i, j); });
    const float limit = kNear * distances(i, nearest[static_cast<std::size_t>(kth - 1)]);
    auto& own = copies[static_cast<std::size_t>(i)];
    for (const int j : nearest) {
      if (own.size() == most || distances(i, j) >= limit) break;
      own.push_back(j);
    }
    std::ranges::sort(own);
  }
  return copies;
}

std::vector<int> repeated_frames(const Eigen::MatrixXf& distances) {
  const auto n = static_cast<int>(distances.rows());
  std::vector<int> repeats;
  if (n < 4) return repeats;
  std::vector<float> pairs;
  std::vector<float> steps;
  for (int i = 0; i < n; ++i) {
    steps.push_back(step(distances, i));
    for (int j = 0; j < i; ++j) pairs.push_back(distances(i, j));
  }
  const float limit = std::min(kNear * median(std::move(pairs)), kStep * median(std::move(steps)));
  const int apart = std::max(2, (n + 7) / 8);
  std::vector<int> kept;
  for (int i = 0; i < n; ++i) {
    const bool again = std::ranges::any_of(kept, [&](int j) { return j <= i - apart && distances(i, j) < limit; });
    (again ? repeats : kept).push_back(i);
  }
  return repeats;
}

}  // namespace padim
