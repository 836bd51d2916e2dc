// Distances relative to the frames around, since what is near differs from scene to scene. Thresholds were chosen on
// eleven sets of photographs (no wrong pair in ten of them, whose pictures are not pairs by nature) and on loops of
// five recordings (all repeats found, none in fourteen natural stretches).

#include "statistics/near_copies.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <numeric>

#include "base/order_statistic.h"
#include "statistics/products_kernel.h"

namespace padim {
namespace {

constexpr float kNear = 0.5F;
// Of the smallest steps: a machine comes back to where it was, but for the camera's noise, which small steps consist
// of.
constexpr float kStep = 0.5F;
// Scenes that sway come back to where they were, but a loop comes back in step.
constexpr double kLeastShare = 0.1;  // of the frames
constexpr double kInStep = 0.7;      // of the repeats

// To the nearest of the frames around it: two before and two after it, so that what blinks is not far from itself.
float step(const Eigen::MatrixXf& distances, int frame) {
  float nearest = std::numeric_limits<float>::infinity();
  const int last = std::min(frame + 2, static_cast<int>(distances.rows()) - 1);
  for (int i = std::max(frame - 2, 0); i <= last; ++i) {
    if (i != frame) nearest = std::min(nearest, distances(frame, i));
  }
  return nearest;
}

float repetition_limit(const Eigen::MatrixXf& distances) {
  std::vector<float> pairs;
  std::vector<float> steps;
  for (int i = 0; i < static_cast<int>(distances.rows()); ++i) {
    steps.push_back(step(distances, i));
    for (int j = 0; j < i; ++j) pairs.push_back(distances(i, j));
  }
  return std::min(kNear * median(std::span(pairs)), kStep * order_statistic(std::span(steps), steps.size() / 10));
}

// The kept frame up to `last` that is nearest to `frame`; -1 where there is none.
int nearest_before(const Eigen::MatrixXf& distances, int frame, int last, const std::vector<int>& kept) {
  int nearest = -1;
  for (const int j : kept) {
    if (j > last) break;
    if (nearest < 0 || distances(frame, j) < distances(frame, nearest)) nearest = j;
  }
  return nearest;
}

// How many of the nearest are nearer than half the distance of the k-th.
std::size_t near(const Eigen::MatrixXf& distances, int i, const std::vector<int>& nearest) {
  const auto n = static_cast<int>(distances.rows());
  const int kth = std::min(n - 1, std::max(4, (n + 5) / 6));
  const auto most = static_cast<std::size_t>(std::max(1, n / 4));
  const float limit = kNear * distances(i, nearest[static_cast<std::size_t>(kth - 1)]);
  std::size_t count = 0;
  while (count < most && distances(i, nearest[count]) < limit) ++count;
  return count;
}

// How many of the nearest half lie before the last leap to twice the distance.
std::size_t before_leap(const Eigen::MatrixXf& distances, int i, const std::vector<int>& nearest) {
  for (std::size_t count = (nearest.size() + 1) / 2; count > 0; --count) {
    if (count < nearest.size() && distances(i, nearest[count - 1]) < kNear * distances(i, nearest[count])) return count;
  }
  return 0;
}

// count(i, all others from the nearest on): how many of the nearest are copies.
template <class Count>
std::vector<std::vector<int>> copies_of_each(const Eigen::MatrixXf& distances, const Count& count) {
  const auto n = static_cast<int>(distances.rows());
  std::vector<std::vector<int>> copies(static_cast<std::size_t>(n));
  if (n < 3) return copies;
  for (int i = 0; i < n; ++i) {
    std::vector<int>& own = copies[static_cast<std::size_t>(i)];
    own.resize(static_cast<std::size_t>(n));
    std::iota(own.begin(), own.end(), 0);
    std::erase(own, i);
    std::ranges::stable_sort(own, {}, [&](int j) { return distances(i, j); });
    own.resize(count(i, own));
    std::ranges::sort(own);
  }
  return copies;
}

}  // namespace

Eigen::MatrixXf pairwise_distances(const EmbeddingSet& embeddings, WorkerPool& pool) {
  const Eigen::Index n = embeddings.size();
  const Eigen::Index d = embeddings.dimensions;
  Eigen::MatrixXd products = Eigen::MatrixXd::Zero(n, n);
  std::mutex mutex;
  pool.split(embeddings.positions, [&](int begin, int end) {
    Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> centred(d, n);
    Eigen::MatrixXf product(n, n);
    Eigen::MatrixXd own = Eigen::MatrixXd::Zero(n, n);
    const std::vector<float> origin(static_cast<std::size_t>(d));
    for (int p = begin; p < end; ++p) {
      embeddings.deviations(p, origin.data(), centred.data());
      centred.colwise() -= centred.rowwise().mean().eval();  // small numbers: their products round less
      multiply_columns(centred.data(), centred.data(), embeddings.dimensions, embeddings.size(), embeddings.size(),
                       product.data());
      own += product.cast<double>();
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
  return copies_of_each(distances, [&](int i, const std::vector<int>& nearest) { return near(distances, i, nearest); });
}

std::vector<std::vector<int>> copied_images(const Eigen::MatrixXf& distances) {
  return copies_of_each(distances, [&](int i, const std::vector<int>& nearest) {
    return std::max(near(distances, i, nearest), before_leap(distances, i, nearest));
  });
}

std::vector<int> repeated_frames(const Eigen::MatrixXf& distances) {
  const auto n = static_cast<int>(distances.rows());
  if (n < 4) return {};
  const float limit = repetition_limit(distances);
  const int apart = std::max(2, (n + 7) / 8);
  std::vector<int> kept;
  std::vector<int> repeats;
  int in_step = 0;    // repeats that follow a repeat, as their originals do
  int original = -1;  // of the frame before
  for (int i = 0; i < n; ++i) {
    const int nearest = nearest_before(distances, i, i - apart, kept);
    const bool again = nearest >= 0 && distances(i, nearest) < limit;
    if (again && original >= 0 && nearest == original + 1) ++in_step;
    original = again ? nearest : -1;
    (again ? repeats : kept).push_back(i);
  }
  const auto count = static_cast<double>(repeats.size());
  const bool looped = count >= kLeastShare * n && in_step >= kInStep * count;
  return looped ? repeats : std::vector<int>();
}

}  // namespace padim
