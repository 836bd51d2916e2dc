#include "statistics/gaussian_kernel.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/packed_triangle.h"
#include "highway_targets.h"
#include "packed.h"
#include "random_numbers.h"

namespace padim::test {
namespace {

constexpr float kGuard = 12345;
using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

std::vector<int> dimensions() {
  std::vector<int> all;
  for (int d = 1; d <= 70; ++d) all.push_back(d);
  all.insert(all.end(), {100, 256, 550});
  return all;
}

// Largest sum of |terms| that any element is made of: what rounding errors are measured against.
double scale_of(std::span<const float> centered, std::span<const float> start, int rows, int d) {
  Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>> c(centered.data(), rows, d);
  double largest = 0;
  for (const float value : start) largest = std::max(largest, std::abs(static_cast<double>(value)));
  return largest + c.cast<double>().cwiseAbs2().colwise().sum().maxCoeff();
}

void compare(std::span<const float> centered, int rows, int d, float start) {
  std::vector<float> simd(triangle_size(d) + kTrianglePadding, start);
  std::fill(simd.end() - static_cast<std::ptrdiff_t>(kTrianglePadding), simd.end(), kGuard);
  std::vector<float> scalar = simd;
  const double tolerance = 1e-6 * scale_of(centered, std::span(simd).first(triangle_size(d)), rows, d);
  add_outer_products(centered.data(), rows, d, simd.data());
  add_outer_products_scalar(centered.data(), rows, d, scalar.data());
  double error = 0;
  for (std::size_t i = 0; i < triangle_size(d); ++i) {
    error = std::max(error, std::abs(static_cast<double>(simd[i]) - static_cast<double>(scalar[i])));
  }
  EXPECT_LE(error, tolerance) << "d = " << d << ", rows = " << rows;
  for (std::size_t i = triangle_size(d); i < simd.size(); ++i) EXPECT_EQ(simd[i], kGuard) << "d = " << d;
}

// The SIMD co-moment update equals its scalar twin for every remainder of the vector length, and writes nothing behind
// the triangle.
TEST(AddOuterProducts, EqualsTheScalarTwin) {
  for_each_target([] {
    for (const int d : dimensions()) {
      for (const int rows : {1, 2, 3, 9, 17}) {
        if (d > 100 && rows > 3) continue;
        const auto centered =
            normal_floats(static_cast<std::size_t>(rows * d), static_cast<std::uint32_t>(100 * d + rows));
        compare(centered, rows, d, 0);
        compare(centered, rows, d, -3.25F);
      }
    }
  });
}

// Huge, tiny, subnormal and mixed magnitudes; no rows at all change nothing.
TEST(AddOuterProducts, SurvivesExtremes) {
  for_each_target([] {
    for (const int d : {1, 7, 16, 33}) {
      auto centered = normal_floats(static_cast<std::size_t>(5 * d), 3);
      for (const float scale : {1e18F, 1e-18F, 1e-38F, 1e-42F}) {
        auto scaled = centered;
        for (float& value : scaled) value *= scale;
        compare(scaled, 5, d, 0);
      }
      for (std::size_t i = 0; i < centered.size(); ++i) centered[i] *= i % 3 == 0 ? 1e15F : i % 3 == 1 ? 1e-15F : -1.0F;
      compare(centered, 5, d, 1);
      compare(centered, 0, d, 2.5F);
    }
  });
}

// The scalar twin itself against Eigen in double precision.
TEST(AddOuterProducts, EqualsEigen) {
  for (const int d : {1, 5, 64}) {
    const auto centered = normal_floats(static_cast<std::size_t>(20 * d), 9);
    std::vector<float> comoment(triangle_size(d) + kTrianglePadding);
    add_outer_products_scalar(centered.data(), 20, d, comoment.data());
    Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>> c(centered.data(), 20, d);
    const Eigen::MatrixXd expected = c.cast<double>().transpose() * c.cast<double>();
    EXPECT_LT((unpack_symmetric(std::span<const float>(comoment), d) - expected).cwiseAbs().maxCoeff(), 2e-5) << d;
  }
}

// Co-moment of `frames` random vectors with a condition number far from 1, packed by rows.
std::vector<float> random_comoment(int d, int frames) {
  const auto values = normal_floats(static_cast<std::size_t>(frames * d), static_cast<std::uint32_t>(d));
  Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>> x(values.data(), frames, d);
  RowMajor scaled = x.cast<double>();
  for (int j = 0; j < d; ++j) scaled.col(j) *= std::pow(10.0, j % 4 - 2);
  if (d > 1) scaled.col(d - 1) += 3 * scaled.col(0);
  const Eigen::MatrixXd comoment = scaled.transpose() * scaled;
  std::vector<float> packed;
  for (int i = 0; i < d; ++i) {
    for (int j = 0; j <= i; ++j) packed.push_back(static_cast<float>(comoment(i, j)));
  }
  packed.resize(packed.size() + kTrianglePadding, kGuard);
  return packed;
}

// The whitener is Eigen's L^-1 in double precision, rounded to halves: half an ulp of a half, also with fewer frames
// than dimensions, where only epsilon makes the covariance invertible.
TEST(Whiten, EqualsEigenToHalfRounding) {
  for_each_target([] {
    for (const int d : {1, 2, 3, 15, 16, 17, 31, 32, 33, 48, 70, 100, 256}) {
      const int frames = d > 50 ? 20 : 200;
      const auto comoment = random_comoment(d, frames);
      const double scale = 1.0 / (frames - 1);
      const double epsilon = 0.01;
      std::vector<double> scratch(whitening_scratch(d));
      std::vector<std::uint16_t> whitener(triangle_size(d) + 1, 0x1234);
      ASSERT_TRUE(whiten(comoment.data(), nullptr, d, scale, epsilon, scratch.data(), whitener.data())) << d;
      EXPECT_EQ(whitener.back(), 0x1234) << "written past the end, d = " << d;
      const Eigen::MatrixXd sigma =
          scale * unpack_symmetric(std::span<const float>(comoment), d) + epsilon * Eigen::MatrixXd::Identity(d, d);
      const Eigen::MatrixXd expected = inverse_cholesky(sigma);
      const Eigen::MatrixXd result = unpack_whitener(whitener, d);
      for (int i = 0; i < d; ++i) {
        for (int j = 0; j <= i; ++j) {
          const double tolerance = std::max(std::abs(expected(i, j)) * 0.000489, 3e-8) + 1e-7;
          ASSERT_NEAR(result(i, j), expected(i, j), tolerance) << "d = " << d << " at " << i << ", " << j;
        }
      }
    }
  });
}

// What cannot be whitened is refused: an indefinite matrix, one that is not finite, a whitener too large for halves.
TEST(Whiten, RefusesWhatHasNoWhitener) {
  for_each_target([] {
    for (const int d : {1, 2, 17, 40}) {
      std::vector<double> scratch(whitening_scratch(d));
      std::vector<std::uint16_t> whitener(triangle_size(d));
      const auto refused = [&](const std::vector<float>& comoment, double epsilon) {
        return !whiten(comoment.data(), nullptr, d, 1, epsilon, scratch.data(), whitener.data());
      };
      const std::vector<float> zero(triangle_size(d) + kTrianglePadding);
      EXPECT_TRUE(refused(zero, 0));
      EXPECT_TRUE(refused(zero, -1));
      EXPECT_TRUE(refused(zero, 1e-12)) << "1e6 does not fit a half";
      EXPECT_FALSE(refused(zero, 1e-6));
      for (const float bad :
           {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity(), -1.0F}) {
        for (const int row : {0, d / 2, d - 1}) {
          auto comoment = zero;
          comoment[triangle_row(row) + static_cast<std::size_t>(row)] = bad;
          EXPECT_TRUE(refused(comoment, 0.01)) << bad << " in row " << row;
        }
      }
      auto infinite = zero;
      infinite[triangle_row(d - 1) + static_cast<std::size_t>(d - 1)] = std::numeric_limits<float>::infinity();
      EXPECT_TRUE(refused(infinite, 0.01)) << "an infinite variance";
    }
  });
}

}  // namespace
}  // namespace padim::test
