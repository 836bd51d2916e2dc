// A block B of frames with weights a_j and whitened deviations w_j = W (x_j - mean) is taken out of M and mean by a
// downdate of rank b + 1. With m = N - 1 + nu, a = sum a_j, s = sum a_j w_j, the rows U = [sqrt(a_j) w_j (j in B);
// s / sqrt(N - a)] and A = I - U U^T / m, a frame whose whitened deviation is z has, by Woodbury's identity,
//     z' = z + s / (N - a),   D^2 = (m - a) / m * (|z'|^2 + (U z')^T A^-1 (U z') / m).
// Everything in it is a product of whitened deviations, so that one matrix of products per Gaussian serves all
// queries. Must match refits to 1e-4, beside what the whitener's half precision costs: 1e-3, and 3e-3 without a prior.

#include "statistics/leave_out.h"

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <Eigen/Eigenvalues>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/packed_triangle.h"
#include "statistics/products_kernel.h"

namespace padim {
namespace {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Small = Eigen::MatrixXd;

// Of A, where rounding has made it indefinite: frames that made their own variance stay far off, at a finite distance.
constexpr double kLeastEigenvalue = 1e-3;

// A query's share that does not depend on the scored frame, for one Gaussian.
class Downdate {
 public:
  Downdate(const LeaveOut& query, std::span<const float> weights, const WhitenedFit& fit, const Matrix& products)
      : query_(query), weights_(weights), m_(fit.count - 1 + fit.prior) {
    const auto b = static_cast<Eigen::Index>(query.without.size());
    for (const int j : query.without) left_out_ += weight(j);
    rest_ = std::max(fit.count - left_out_, 1e-9);
    Small h(b, b);  // products of the block with itself
    for (Eigen::Index i = 0; i < b; ++i) {
      for (Eigen::Index k = 0; k < b; ++k) h(i, k) = static_cast<double>(products(member(i), member(k)));
    }
    Eigen::VectorXd a(b);
    for (Eigen::Index i = 0; i < b; ++i) a(i) = weight(static_cast<int>(member(i)));
    roots_ = a.cwiseSqrt();
    sums_ = h * a;  // w_j . s
    square_ = a.dot(sums_);
    Small u(b + 1, b + 1);
    u.topLeftCorner(b, b) = roots_.asDiagonal() * h * roots_.asDiagonal();
    u.topRightCorner(b, 1) = roots_.cwiseProduct(sums_) / std::sqrt(rest_);
    u.bottomLeftCorner(1, b) = u.topRightCorner(b, 1).transpose();
    u(b, b) = square_ / rest_;
    const Small left = Small::Identity(b + 1, b + 1) - u / m_;
    factor_.compute(left);
    if (factor_.info() != Eigen::Success) factor_.compute(made_definite(left));
  }

  // z_square: |z|^2 of the frame; z_products: its products with the whitened deviations of all embeddings.
  [[nodiscard]] double square(double z_square, const float* z_products) const {
    const auto b = static_cast<Eigen::Index>(query_.without.size());
    Eigen::VectorXd uz(b + 1);
    double z_s = 0;
    for (Eigen::Index i = 0; i < b; ++i) {
      const auto product = static_cast<double>(z_products[member(i)]);
      z_s += roots_(i) * roots_(i) * product;
      uz(i) = roots_(i) * (product + sums_(i) / rest_);
    }
    uz(b) = (z_s + square_ / rest_) / std::sqrt(rest_);
    const double shifted = z_square + 2 * z_s / rest_ + square_ / (rest_ * rest_);
    return std::max((m_ - left_out_) / m_ * (shifted + uz.dot(factor_.solve(uz)) / m_), 0.0);
  }

 private:
  static Small made_definite(const Small& matrix) {
    const Eigen::SelfAdjointEigenSolver<Small> eigen(matrix);
    const Eigen::VectorXd values = eigen.eigenvalues().cwiseMax(kLeastEigenvalue);
    return eigen.eigenvectors() * values.asDiagonal() * eigen.eigenvectors().transpose();
  }

  [[nodiscard]] Eigen::Index member(Eigen::Index i) const { return query_.without[static_cast<std::size_t>(i)]; }
  [[nodiscard]] double weight(int frame) const {
    return static_cast<double>(weights_[static_cast<std::size_t>(frame)]);
  }

  const LeaveOut& query_;
  std::span<const float> weights_;
  double m_;
  double left_out_ = 0;
  double rest_ = 0;  // N - a
  double square_ = 0;
  Eigen::VectorXd roots_;
  Eigen::VectorXd sums_;
  Eigen::LLT<Small> factor_;
};

// One thread's share of the Gaussians, with its scratch memory.
class LeavingOut {
 public:
  LeavingOut(const WhitenedFit& fit, const EmbeddingSet& embeddings, std::span<const float> weights,
             std::span<const LeaveOut> queries)
      : fit_(fit),
        embeddings_(embeddings),
        weights_(weights),
        queries_(queries),
        deviations_(embeddings.dimensions, embeddings.size()),
        scratch_(static_cast<std::size_t>(embeddings.dimensions) * kPanelRows) {}

  void open(int gaussian) {
    gaussian_ = static_cast<std::size_t>(gaussian);
    whiten(gaussian, own_);
    multiply(own_, own_, products_);
    downdates_.clear();
    for (const LeaveOut& query : queries_) downdates_.emplace_back(query, weights_, fit_, products_);
  }

  // Lowers squares [n][P] at a position to the distances to the open Gaussian.
  void score(int position, std::vector<float>& squares) {
    const bool own = static_cast<std::size_t>(position) == gaussian_;
    if (!own) {
      whiten(position, others_);
      multiply(others_, own_, crossed_);
    }
    const Matrix& z = own ? own_ : others_;
    const Matrix& products = own ? products_ : crossed_;
    auto row = static_cast<std::size_t>(position);
    for (std::size_t q = 0; q < queries_.size(); ++q) {
      for (const int frame : queries_[q].frames) {
        const double square =
            downdates_[q].square(static_cast<double>(z.col(frame).squaredNorm()), &products(frame, 0));
        squares[row] = std::min(squares[row], static_cast<float>(square));
        row += static_cast<std::size_t>(embeddings_.positions);
      }
    }
  }

 private:
  // Deviations of the embeddings at a position from the open Gaussian, whitened by it: columns [d, n].
  void whiten(int position, Matrix& whitened) {
    const auto d = static_cast<std::size_t>(embeddings_.dimensions);
    embeddings_.deviations(position, fit_.mean.data() + gaussian_ * d, deviations_.data());
    whitened.resize(embeddings_.dimensions, embeddings_.size());
    whiten_vectors(fit_.whitener.data() + gaussian_ * triangle_size(embeddings_.dimensions), embeddings_.dimensions,
                   deviations_.data(), embeddings_.size(), scratch_.data(), whitened.data());
  }

  void multiply(const Matrix& a, const Matrix& b, Matrix& products) const {
    products.resize(embeddings_.size(), embeddings_.size());
    multiply_columns(a.data(), b.data(), embeddings_.dimensions, embeddings_.size(), embeddings_.size(),
                     products.data());
  }

  const WhitenedFit& fit_;
  const EmbeddingSet& embeddings_;
  std::span<const float> weights_;
  std::span<const LeaveOut> queries_;
  std::size_t gaussian_ = 0;
  Matrix deviations_;  // columns [d, n], as own_ and others_
  std::vector<float> scratch_;
  Matrix own_;
  Matrix products_;  // [n, n], as crossed_
  Matrix others_;
  Matrix crossed_;
  std::vector<Downdate> downdates_;
};

}  // namespace

std::vector<float> leave_out_distances(const WhitenedFit& fit, const EmbeddingSet& embeddings,
                                       std::span<const float> weights, std::span<const LeaveOut> queries,
                                       Size positions, int search_radius, WorkerPool& pool) {
  std::size_t frames = 0;
  for (const LeaveOut& query : queries) frames += query.frames.size();
  const int parts = pool.threads();
  std::vector<std::vector<float>> squares(static_cast<std::size_t>(parts));
  pool.split(parts, [&](int first, int last) {
    for (int part = first; part < last; ++part) {
      auto& own = squares[static_cast<std::size_t>(part)];
      own.assign(frames * static_cast<std::size_t>(embeddings.positions), std::numeric_limits<float>::infinity());
      LeavingOut leaving(fit, embeddings, weights, queries);
      for (int q = embeddings.positions * part / parts; q < embeddings.positions * (part + 1) / parts; ++q) {
        leaving.open(q);
        const int x = q % positions.width;
        const int y = q / positions.width;
        for (int py = std::max(y - search_radius, 0); py <= std::min(y + search_radius, positions.height - 1); ++py) {
          for (int px = std::max(x - search_radius, 0); px <= std::min(x + search_radius, positions.width - 1); ++px) {
            leaving.score(py * positions.width + px, own);
          }
        }
      }
    }
  });
  std::vector<float>& result = squares.front();
  for (std::size_t part = 1; part < squares.size(); ++part) {
    std::transform(result.begin(), result.end(), squares[part].begin(), result.begin(),
                   [](float a, float b) { return std::min(a, b); });
  }
  std::transform(result.begin(), result.end(), result.begin(), [](float square) { return std::sqrt(square); });
  return std::move(result);
}

}  // namespace padim
