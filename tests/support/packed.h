#pragma once

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "base/half.h"

namespace padim::test {

/// Lower triangle packed by rows, as a matrix with zeros above the diagonal.
template <class Value>
Eigen::MatrixXd unpack_rows(std::span<const Value> packed, int d) {
  Eigen::MatrixXd matrix = Eigen::MatrixXd::Zero(d, d);
  std::size_t at = 0;
  for (int i = 0; i < d; ++i) {
    for (int j = 0; j <= i; ++j) matrix(i, j) = static_cast<double>(packed[at++]);
  }
  return matrix;
}

/// The same with the upper triangle mirrored.
template <class Value>
Eigen::MatrixXd unpack_symmetric(std::span<const Value> packed, int d) {
  const Eigen::MatrixXd lower = unpack_rows(packed, d);
  return lower.selfadjointView<Eigen::Lower>();
}

/// A whitener, written from the format's description: panels of 16 rows from the top; in a panel column by column; in a
/// column the panel's rows from the diagonal down; each a half.
inline Eigen::MatrixXd unpack_whitener(std::span<const std::uint16_t> packed, int d) {
  Eigen::MatrixXd matrix = Eigen::MatrixXd::Zero(d, d);
  std::size_t at = 0;
  for (int top = 0; top < d; top += 16) {
    for (int column = 0; column < std::min(top + 16, d); ++column) {
      for (int row = std::max(top, column); row < std::min(top + 16, d); ++row) {
        matrix(row, column) = static_cast<double>(half_to_float(packed[at++]));
      }
    }
  }
  return matrix;
}

/// The inverse of unpack_whitener, with room behind it for kernels that read past the end.
inline std::vector<std::uint16_t> pack_whitener(const Eigen::MatrixXd& matrix) {
  const int d = static_cast<int>(matrix.rows());
  std::vector<std::uint16_t> packed;
  for (int top = 0; top < d; top += 16) {
    for (int column = 0; column < std::min(top + 16, d); ++column) {
      for (int row = std::max(top, column); row < std::min(top + 16, d); ++row) {
        packed.push_back(float_to_half(static_cast<float>(matrix(row, column))));
      }
    }
  }
  packed.resize(packed.size() + 16, 0x7e00);  // NaN: what is read beyond must not count
  return packed;
}

/// L^-1 of covariance = L L^T.
inline Eigen::MatrixXd inverse_cholesky(const Eigen::MatrixXd& covariance) {
  const Eigen::MatrixXd lower = covariance.llt().matrixL();
  return lower.triangularView<Eigen::Lower>().solve(Eigen::MatrixXd::Identity(lower.rows(), lower.cols()));
}

}  // namespace padim::test
