#pragma once

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "base/half.h"
#include "padim/model.h"
#include "random_numbers.h"
#include "score/upsampling.h"
#include "statistics/segments.h"

namespace padim::test {

/// Embeddings [P, d] of frames.
using Frames = std::vector<std::vector<float>>;

/// What a calibration needs to know of a model over `positions`, as the built-in backbones recommend it.
inline ModelInfo plain_info(Size positions, int dimensions, SourceKind source, double prior = 30) {
  ModelInfo info;
  info.positions = positions;
  info.geometry.input = {8 * positions.width, 8 * positions.height};
  info.dimensions = dimensions;
  info.relative_epsilon = 0.1;
  info.prior = prior;
  info.calibration.source = source;
  info.calibration.false_alarm_rate = 0.01;
  return info;
}

/// Noise around a picture; numbers that half precision holds exactly, so that what is stored is what was shown.
inline std::vector<float> noisy_frame(const ModelInfo& info, std::uint32_t seed, float deviation = 1) {
  const auto size = static_cast<std::size_t>(info.positions.width * info.positions.height * info.dimensions);
  std::vector<float> frame = normal_floats(size, 1, 2);
  const std::vector<float> noise = normal_floats(size, 1000 + seed, 0, deviation);
  for (std::size_t i = 0; i < size; ++i) frame[i] = half_to_float(float_to_half(frame[i] + noise[i]));
  return frame;
}

inline Frames noisy_frames(const ModelInfo& info, int count, std::uint32_t seed = 0) {
  Frames frames;
  for (int i = 0; i < count; ++i) frames.push_back(noisy_frame(info, seed + static_cast<std::uint32_t>(i)));
  return frames;
}

/// The frame with `shift` added to all it shows.
inline std::vector<float> shifted(std::vector<float> frame, float shift) {
  for (float& value : frame) value = half_to_float(float_to_half(value + shift));
  return frame;
}

/// PaDiM by the book, in double precision: covariances (M + nu S) / (n - 1 + nu) + epsilon I of a few frames, with
/// their pooled covariance S and mean variance; Mahalanobis distances by solving.
class PlainModel {
 public:
  /// weights: what each frame counts; empty: all 1.
  PlainModel(const Frames& frames, const ModelInfo& info, std::vector<double> weights = {})
      : info_(info), d_(info.dimensions), positions_(info.positions.width * info.positions.height) {
    if (weights.empty()) weights.assign(frames.size(), 1);
    double n = 0;
    for (const double weight : weights) n += weight;
    pooled_ = Eigen::MatrixXd::Zero(d_, d_);
    for (int p = 0; p < positions_; ++p) {
      Eigen::VectorXd mean = Eigen::VectorXd::Zero(d_);
      for (std::size_t i = 0; i < frames.size(); ++i) mean += weights[i] / n * at(frames[i], p);
      Eigen::MatrixXd comoment = Eigen::MatrixXd::Zero(d_, d_);
      for (std::size_t i = 0; i < frames.size(); ++i) {
        const Eigen::VectorXd y = at(frames[i], p) - mean;
        comoment += weights[i] * y * y.transpose();
      }
      pooled_ += comoment / (positions_ * (n - 1));
      means_.push_back(mean);
      comoments_.push_back(comoment);
    }
    epsilon_ = std::max(info.relative_epsilon * pooled_.trace() / d_, 1e-6);
    for (const Eigen::MatrixXd& comoment : comoments_) {
      const Eigen::MatrixXd sigma =
          (comoment + info.prior * pooled_) / (n - 1 + info.prior) + epsilon_ * Eigen::MatrixXd::Identity(d_, d_);
      factors_.emplace_back(sigma);
    }
  }

  /// Raw image score.
  [[nodiscard]] float score(const std::vector<float>& frame) const {
    std::vector<float> distances;
    for (int p = 0; p < positions_; ++p) distances.push_back(static_cast<float>(distance(frame, p)));
    ScoreMap map;
    return Upsampler(info_.positions, info_.geometry.input).run(distances, map);
  }

  /// Mean over positions, per dimension and without its constant.
  [[nodiscard]] double log_likelihood(const std::vector<float>& frame) const {
    double sum = 0;
    for (int p = 0; p < positions_; ++p) {
      const auto gaussian = static_cast<std::size_t>(p);
      const Eigen::VectorXd y = at(frame, p) - means_[gaussian];
      const double log_determinant = 2 * factors_[gaussian].matrixLLT().diagonal().array().log().sum();
      sum -= (y.dot(factors_[gaussian].solve(y)) + log_determinant) / 2;
    }
    return sum / (positions_ * d_);
  }

  [[nodiscard]] const Eigen::MatrixXd& pooled() const { return pooled_; }
  [[nodiscard]] double epsilon() const { return epsilon_; }

 private:
  [[nodiscard]] Eigen::VectorXd at(const std::vector<float>& frame, int position) const {
    return Eigen::Map<const Eigen::VectorXf>(frame.data() + position * d_, d_).cast<double>();
  }

  // To the nearest of the Gaussians within the search radius.
  [[nodiscard]] double distance(const std::vector<float>& frame, int position) const {
    double smallest = std::numeric_limits<double>::infinity();
    for (int q = 0; q < positions_; ++q) {
      const int dx = q % info_.positions.width - position % info_.positions.width;
      const int dy = q / info_.positions.width - position / info_.positions.width;
      if (std::max(std::abs(dx), std::abs(dy)) > info_.search_radius) continue;
      const auto gaussian = static_cast<std::size_t>(q);
      const Eigen::VectorXd y = at(frame, position) - means_[gaussian];
      smallest = std::min(smallest, std::sqrt(y.dot(factors_[gaussian].solve(y))));
    }
    return smallest;
  }

  ModelInfo info_;
  int d_;
  int positions_;
  double epsilon_ = 0;
  Eigen::MatrixXd pooled_;
  std::vector<Eigen::VectorXd> means_;
  std::vector<Eigen::MatrixXd> comoments_;
  std::vector<Eigen::LLT<Eigen::MatrixXd>> factors_;
};

/// All frames but some.
inline Frames without(const Frames& frames, const std::vector<int>& left_out) {
  Frames rest;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    if (std::ranges::find(left_out, static_cast<int>(i)) == left_out.end()) rest.push_back(frames[i]);
  }
  return rest;
}

/// A stream of frames; copies: as many of each frame, those of the first frame first, or none. weight: what each
/// counts.
inline void append(Segments& segments, const Frames& frames, WorkerPool& pool, const Frames& copies = {},
                   double weight = 1) {
  const std::size_t each = copies.size() / frames.size();
  for (std::size_t i = 0; i < frames.size(); ++i) {
    segments.append(frames[i], Segments::Kind::real, weight, pool);
    for (std::size_t k = 0; k < each; ++k) {
      segments.append(copies[i * each + k], Segments::Kind::augmented, weight, pool);
    }
  }
}

}  // namespace padim::test
