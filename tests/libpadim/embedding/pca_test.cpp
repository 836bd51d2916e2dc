#include "embedding/pca.h"

#include <gtest/gtest.h>

#include <Eigen/Core>
#include <Eigen/Eigenvalues>
#include <limits>
#include <span>
#include <vector>

#include "expect_error.h"
#include "random_numbers.h"

namespace padim::test {
namespace {

using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// [vectors, d], each dimension a mixture of all others with variances that fall by a tenth each, far from the origin.
std::vector<float> mixed(int vectors, int d, std::uint32_t seed) {
  const auto size = static_cast<std::size_t>(vectors * d);
  const std::vector<float> noise = normal_floats(size, seed);
  const std::vector<float> weights = normal_floats(static_cast<std::size_t>(d * d), 99);
  RowMajor x = Eigen::Map<const RowMajor>(noise.data(), vectors, d);
  for (int j = 0; j < d; ++j) x.col(j) *= std::pow(0.9F, static_cast<float>(j));
  RowMajor y = x * Eigen::Map<const RowMajor>(weights.data(), d, d);
  y.array() += 20;
  return {y.data(), y.data() + size};
}

// The directions of largest variance of all vectors pooled, for any number of threads and any number of positions.
TEST(Pca, EqualsTheEigenvectorsInDoublePrecision) {
  constexpr int kDimensions = 23;
  constexpr int kFrames = 9;
  for (const int positions : {1, 7, 130, 256}) {
    const auto all = mixed(kFrames * positions, kDimensions, static_cast<std::uint32_t>(positions));
    const Eigen::MatrixXd x = Eigen::Map<const RowMajor>(all.data(), kFrames * positions, kDimensions).cast<double>();
    const Eigen::MatrixXd centered = x.rowwise() - x.colwise().mean();
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(centered.transpose() * centered);
    for (const int threads : {1, 2, 5}) {
      WorkerPool pool(threads);
      Pca pca(positions, kDimensions, pool);
      const std::size_t size = static_cast<std::size_t>(positions * kDimensions);
      for (std::size_t at = 0; at < all.size(); at += size) pca.add(std::span(all).subspan(at, size), pool);
      EXPECT_EQ(pca.frames(), kFrames);
      const int count = std::min(kFrames * positions - 1, 8);  // as many as the vectors can have
      const auto basis = pca.components(count);
      for (int j = 0; j < count; ++j) {
        const Eigen::VectorXd expected = solver.eigenvectors().col(kDimensions - 1 - j);
        const Eigen::VectorXd actual =
            Eigen::Map<const RowMajor>(basis.data(), kDimensions, count).col(j).cast<double>();
        EXPECT_NEAR(std::abs(expected.dot(actual)), 1, 1e-5) << positions << " positions, component " << j;
        EXPECT_GT(actual(std::distance(actual.begin(),
                                       std::max_element(actual.begin(), actual.end(),
                                                        [](auto a, auto b) { return std::abs(a) < std::abs(b); }))),
                  0);
      }
    }
  }
}

TEST(Pca, RefusesWhatIsNotFinite) {
  WorkerPool pool(1);
  Pca pca(2, 3, pool);
  expect_error(ErrorCode::numeric, {"no frames"}, [&] { (void)pca.components(1); });
  for (const float value : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    pca.add(std::vector<float>{1, 2, value, 4, 5, 6}, pool);
    expect_error(ErrorCode::numeric, {"not finite", "float32"}, [&] { (void)pca.components(1); });
  }
}

}  // namespace
}  // namespace padim::test
