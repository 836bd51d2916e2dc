#include "statistics/mahalanobis_kernel.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <string>

#include "base/packed_triangle.h"
#include "highway_targets.h"
#include "packed.h"
#include "random_numbers.h"

namespace padim::test {
namespace {

std::vector<int> dimensions() {
  std::vector<int> all;
  for (int d = 1; d <= 70; ++d) all.push_back(d);
  all.insert(all.end(), {100, 256, 550});
  return all;
}

Eigen::MatrixXd random_triangle(int d, std::uint32_t seed, float scale) {
  const auto values = normal_floats(triangle_size(d), seed, 0, scale);
  return unpack_rows(std::span<const float>(values), d);
}

// Both versions against ||W v||^2 in double precision with W as the halves hold it.
void compare(const std::vector<std::uint16_t>& whitener, int d, const std::vector<float>& vectors, int count) {
  std::array<float, kMaximumVectors> simd{};
  std::array<float, kMaximumVectors> scalar{};
  whitened_square_norms(whitener.data(), d, vectors.data(), count, simd.data());
  whitened_square_norms_scalar(whitener.data(), d, vectors.data(), count, scalar.data());
  const Eigen::MatrixXd w = unpack_whitener(whitener, d);
  for (int k = 0; k < count; ++k) {
    Eigen::VectorXd v(d);
    for (int j = 0; j < d; ++j) v(j) = static_cast<double>(vectors[static_cast<std::size_t>(j * count + k)]);
    const double expected = (w * v).squaredNorm();
    // Cancellation inside a row is measured against the sum of its absolute terms.
    const double tolerance = 4e-6 * (w.cwiseAbs() * v.cwiseAbs()).squaredNorm() + 1e-37;
    const auto at = static_cast<std::size_t>(k);
    ASSERT_NEAR(static_cast<double>(simd[at]), expected, tolerance) << "d = " << d << ", " << k << " of " << count;
    ASSERT_NEAR(static_cast<double>(scalar[at]), expected, tolerance) << "d = " << d << ", " << k << " of " << count;
  }
  for (std::size_t k = static_cast<std::size_t>(count); k < simd.size(); ++k)
    ASSERT_EQ(simd[k], 0) << "written too far";
}

// Every panel height, every count of vectors, on every instruction set; what lies behind the triangle (NaN here) is
// ignored.
TEST(WhitenedSquareNorms, EqualsDoublePrecision) {
  for_each_target([] {
    for (const int d : dimensions()) {
      const auto whitener = pack_whitener(random_triangle(d, static_cast<std::uint32_t>(d), 1));
      for (int count = 1; count <= kMaximumVectors; ++count) {
        if (d > 70 && count % 4 != 1) continue;
        const auto vectors = normal_floats(static_cast<std::size_t>(d * count), static_cast<std::uint32_t>(count));
        compare(whitener, d, vectors, count);
      }
    }
  });
}

// Whiteners of tiny (also subnormal) and of the largest halves, vectors of very different magnitudes.
TEST(WhitenedSquareNorms, SurvivesExtremes) {
  for_each_target([] {
    for (const int d : {1, 8, 15, 16, 17, 24, 33}) {
      for (const float scale : {1e-7F, 3e-5F, 1.0F, 15000.0F}) {
        const auto whitener = pack_whitener(random_triangle(d, 17, scale).cwiseMin(65504).cwiseMax(-65504));
        for (const float length : {1e-10F, 1.0F, 1e10F}) {
          auto vectors = normal_floats(static_cast<std::size_t>(d * 9), 23);
          for (std::size_t i = 0; i < vectors.size(); ++i) vectors[i] *= i % 2 == 0 ? length : -1.0F;
          compare(whitener, d, vectors, 9);
        }
      }
    }
  });
}

// The lanes beside the diagonal hold numbers of other columns: none of them leaks into a sum. W is the identity here,
// so the norm is that of the vector, exactly.
TEST(WhitenedSquareNorms, KeepsColumnsApart) {
  for_each_target([] {
    for (const int d : {1, 5, 16, 21, 32, 47}) {
      const auto whitener = pack_whitener(Eigen::MatrixXd::Identity(d, d));
      for (int one = 0; one < d; ++one) {
        std::vector<float> vector(static_cast<std::size_t>(d));
        vector[static_cast<std::size_t>(one)] = 3;
        float norm = -1;
        whitened_square_norms(whitener.data(), d, vector.data(), 1, &norm);
        ASSERT_EQ(norm, 9) << "d = " << d << ", dimension " << one;
      }
    }
  });
}

// A broken vector shows as such and spoils no other.
TEST(WhitenedSquareNorms, KeepsNanInItsVector) {
  for_each_target([] {
    for (const int d : {1, 16, 19}) {
      const auto whitener = pack_whitener(random_triangle(d, 29, 1));
      for (int broken = 0; broken < 9; ++broken) {
        for (const int dimension : {0, d / 2, d - 1}) {
          std::vector<float> vectors(static_cast<std::size_t>(9 * d), 1.0F);
          vectors[static_cast<std::size_t>(dimension * 9 + broken)] = std::numeric_limits<float>::quiet_NaN();
          std::array<float, kMaximumVectors> norms{};
          whitened_square_norms(whitener.data(), d, vectors.data(), 9, norms.data());
          for (int k = 0; k < 9; ++k) {
            ASSERT_EQ(std::isnan(norms[static_cast<std::size_t>(k)]), k == broken) << "d = " << d;
          }
        }
      }
    }
  });
}

}  // namespace
}  // namespace padim::test
