// The covariance of all F-dimensional patch embeddings, pooled over frames and positions, as the comparison in section
// 4.1 of the PaDiM paper (arXiv 2011.08785) has it; the components of largest variance are kept. (NPCA, arXiv
// 2012.04328, keeps the smallest.) Each frame's co-moment is taken in float and merged in double precision by Chan's
// formula, so that the number of frames costs no accuracy. Must span the subspace of scikit-learn's PCA.

#include "embedding/pca.h"

#include <Eigen/Core>
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

#include "base/packed_triangle.h"
#include "padim/error.h"

namespace padim {
namespace {

constexpr int kBatch = 64;  // vectors per update and part: the triangle is read and written once for each batch

// Equal parts of a frame's positions, one per thread where that comes out even.
int parts(int positions, int threads) {
  int count = std::clamp(threads, 1, positions);
  while (positions % count != 0) --count;
  return count;
}

}  // namespace

Pca::Pca(int positions, int dimensions, const WorkerPool& pool)
    : dimensions_(dimensions),
      frame_(parts(positions, pool.threads()), dimensions),
      mean_(static_cast<std::size_t>(dimensions)),
      comoment_(triangle_size(dimensions)) {}

void Pca::add(std::span<const float> embedding, WorkerPool& pool) {
  const auto d = static_cast<std::size_t>(dimensions_);
  const std::size_t row = static_cast<std::size_t>(frame_.positions()) * d;
  frame_.reset();
  for (std::size_t at = 0; at < embedding.size(); at += kBatch * row) {
    const auto batch = embedding.subspan(at, std::min(kBatch * row, embedding.size() - at));
    frame_.add(batch, static_cast<int>(batch.size() / row), pool);
  }
  for (std::size_t part = 0; part < static_cast<std::size_t>(frame_.positions()); ++part) {
    merge(frame_.mean().subspan(part * d, d), frame_.comoment().subspan(part * comoment_.size(), comoment_.size()),
          frame_.count());
  }
  ++frames_;
}

void Pca::merge(std::span<const float> mean, std::span<const float> comoment, double count) {
  const double total = count_ + count;
  std::vector<double> delta(mean.size());
  for (std::size_t i = 0; i < mean.size(); ++i) {
    delta[i] = static_cast<double>(mean[i]) - mean_[i];
    mean_[i] += count / total * delta[i];
  }
  const double weight = count_ * count / total;
  for (std::size_t i = 0, at = 0; i < mean.size(); ++i) {
    for (std::size_t j = 0; j <= i; ++j, ++at) {
      comoment_[at] += static_cast<double>(comoment[at]) + weight * delta[i] * delta[j];
    }
  }
  count_ = total;
}

std::vector<float> Pca::components(int count) const {
  Eigen::MatrixXd covariance = Eigen::MatrixXd::Zero(dimensions_, dimensions_);  // the solver reads its lower triangle
  for (int i = 0; i < dimensions_; ++i) {
    for (int j = 0; j <= i; ++j) {
      covariance(i, j) = comoment_[triangle_row(i) + static_cast<std::size_t>(j)] / std::max(count_ - 1, 1.0);
    }
  }
  if (frames_ == 0 || !covariance.allFinite()) {
    throw Error(ErrorCode::numeric,
                "the principal components cannot be computed: there are no frames, or the backbone's output for them "
                "is not finite; try precision float32");
  }
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(covariance);
  if (solver.info() != Eigen::Success) {
    throw Error(ErrorCode::numeric, "the principal components cannot be computed: the eigenvalues did not converge");
  }
  const auto d = static_cast<std::size_t>(count);
  std::vector<float> columns(static_cast<std::size_t>(dimensions_) * d);
  for (int j = 0; j < count; ++j) {
    Eigen::VectorXd direction = solver.eigenvectors().col(dimensions_ - 1 - j);  // eigenvalues rise
    Eigen::Index largest = 0;
    direction.cwiseAbs().maxCoeff(&largest);
    if (direction(largest) < 0) direction = -direction;
    for (int i = 0; i < dimensions_; ++i) {
      columns[static_cast<std::size_t>(i) * d + static_cast<std::size_t>(j)] = static_cast<float>(direction(i));
    }
  }
  return columns;
}

}  // namespace padim
