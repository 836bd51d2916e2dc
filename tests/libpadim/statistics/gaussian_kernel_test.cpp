#include "statistics/gaussian_kernel.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

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

// An element's tolerance: half an ulp of a half.
void expect_equals(const Eigen::MatrixXd& result, const Eigen::MatrixXd& expected) {
  for (int i = 0; i < expected.rows(); ++i) {
    for (int j = 0; j <= i; ++j) {
      const double tolerance = std::max(std::abs(expected(i, j)) * 0.000489, 3e-8) + 1e-7;
      ASSERT_NEAR(result(i, j), expected(i, j), tolerance) << "at " << i << ", " << j;
    }
  }
}

// prior: empty for none.
std::vector<std::uint16_t> whitener_of(std::span<const float> comoment, std::span<const double> prior, int d,
                                       double scale, double epsilon) {
  std::vector<double> scratch(whitening_scratch(d) + 1, static_cast<double>(kGuard));
  std::vector<std::uint16_t> whitener(triangle_size(d) + 1, 0x1234);
  EXPECT_TRUE(whiten(comoment.data(), prior.empty() ? nullptr : prior.data(), d, scale, epsilon, scratch.data(),
                     whitener.data()));
  EXPECT_EQ(whitener.back(), 0x1234) << "written past the end";
  EXPECT_EQ(scratch.back(), kGuard) << "written past the scratch";
  return whitener;
}

// The whitener is Eigen's L^-1 in double precision, rounded to halves, with a prior and without, also with fewer frames
// than dimensions, where only epsilon makes the covariance invertible.
TEST(Whiten, EqualsEigenToHalfRounding) {
  for (const int d : {1, 2, 3, 15, 16, 17, 31, 32, 33, 48, 70, 100, 176, 256, 550}) {
    SCOPED_TRACE("d = " + std::to_string(d));
    const int frames = d > 50 ? 20 : 200;
    const double scale = 1.0 / (frames - 1);
    const double epsilon = 0.01;
    const auto comoment = random_comoment(d, frames);
    const auto other = random_comoment(d, frames + 7);
    const std::vector<double> prior(other.begin(), other.end());
    const Eigen::MatrixXd sigma =
        scale * unpack_symmetric(std::span<const float>(comoment), d) + epsilon * Eigen::MatrixXd::Identity(d, d);
    const Eigen::MatrixXd without = inverse_cholesky(sigma);
    const Eigen::MatrixXd with = inverse_cholesky(sigma + unpack_symmetric(std::span<const double>(prior), d));
    for_each_target([&] {
      expect_equals(unpack_whitener(whitener_of(comoment, {}, d, scale, epsilon), d), without);
      expect_equals(unpack_whitener(whitener_of(comoment, prior, d, scale, epsilon), d), with);
    });
  }
}

// A prior of zeros gives the bits of none.
TEST(Whiten, IsUnchangedByAPriorOfZeros) {
  for_each_target([] {
    for (const int d : {1, 17, 100}) {
      const auto comoment = random_comoment(d, 40);
      const std::vector<double> zeros(triangle_size(d));
      EXPECT_EQ(whitener_of(comoment, zeros, d, 0.1, 0.01), whitener_of(comoment, {}, d, 0.1, 0.01)) << d;
    }
  });
}

// Normal and subnormal halves are rounded to nearest, as the scalar conversion does it: reciprocals of standard
// deviations from a large half to one that vanishes.
TEST(Whiten, RoundsLikeTheScalarConversion) {
  constexpr int kSteps = 200;
  std::vector<float> comoment(triangle_size(kSteps) + kTrianglePadding);
  Eigen::MatrixXd expected = Eigen::MatrixXd::Zero(kSteps, kSteps);
  for (int i = 0; i < kSteps; ++i) {
    const float variance = std::exp2(0.3F * static_cast<float>(i) - 8);
    comoment[triangle_row(i) + static_cast<std::size_t>(i)] = variance;
    expected(i, i) = 1 / std::sqrt(static_cast<double>(variance));
  }
  const Eigen::MatrixXd rounded = unpack_whitener(pack_whitener(expected), kSteps);
  for_each_target([&] { EXPECT_EQ(unpack_whitener(whitener_of(comoment, {}, kSteps, 1, 0), kSteps), rounded); });
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
      for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), 1.0F}) {
        if (d == 1) continue;
        auto comoment = zero;
        comoment[triangle_row(d - 1)] = bad;
        EXPECT_TRUE(refused(comoment, 0.01)) << bad << " beside the diagonal";
      }
      auto infinite = zero;
      infinite[triangle_row(d - 1) + static_cast<std::size_t>(d - 1)] = std::numeric_limits<float>::infinity();
      EXPECT_TRUE(refused(infinite, 0.01)) << "an infinite variance";
    }
  });
}

}  // namespace
}  // namespace padim::test
