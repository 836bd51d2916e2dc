#include "statistics/mahalanobis.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/packed_triangle.h"
#include "packed.h"
#include "random_numbers.h"

namespace padim::test {
namespace {

// Gaussians with random covariances at every position of a grid, and an embedding to measure.
struct Scene {
  Scene(Size size, int dimensions, std::uint32_t seed) : grid(size), d(dimensions) {
    const int positions = grid.width * grid.height;
    mean = normal_floats(static_cast<std::size_t>(positions * d), seed, 3, 2);
    embedding = normal_floats(static_cast<std::size_t>(positions * d), seed + 1, 3, 4);
    for (int p = 0; p < positions; ++p) {
      const auto values = normal_floats(static_cast<std::size_t>(d * d), seed + 2 + static_cast<std::uint32_t>(p));
      const Eigen::MatrixXd factor = Eigen::Map<const Eigen::MatrixXf>(values.data(), d, d).cast<double>();
      const Eigen::MatrixXd covariance = factor * factor.transpose() / d + 0.5 * Eigen::MatrixXd::Identity(d, d);
      auto packed = pack_whitener(inverse_cholesky(covariance));
      packed.resize(triangle_size(d));
      // What the model holds is the rounded factor; the distances must be exact for it.
      rounded.push_back(unpack_whitener(packed, d));
      covariances.push_back(covariance);
      whitener.insert(whitener.end(), packed.begin(), packed.end());
    }
    whitener.resize(whitener.size() + kTrianglePadding, 0x7e00);  // NaN: what is read beyond must not count
  }

  [[nodiscard]] Eigen::VectorXd vector(const std::vector<float>& values, int position) const {
    return Eigen::Map<const Eigen::VectorXf>(values.data() + position * d, d).cast<double>();
  }

  [[nodiscard]] double distance(int patch, int gaussian) const {
    return (rounded[static_cast<std::size_t>(gaussian)] * (vector(embedding, patch) - vector(mean, gaussian))).norm();
  }

  // The smallest distance of the patch to the Gaussians around it.
  [[nodiscard]] double expected(int patch, int radius) const {
    const int x = patch % grid.width;
    const int y = patch / grid.width;
    double smallest = std::numeric_limits<double>::infinity();
    for (int v = y - radius; v <= y + radius; ++v) {
      for (int u = x - radius; u <= x + radius; ++u) {
        if (u < 0 || v < 0 || u >= grid.width || v >= grid.height) continue;
        smallest = std::min(smallest, distance(patch, v * grid.width + u));
      }
    }
    return smallest;
  }

  [[nodiscard]] std::vector<float> measure(int radius, int threads) const {
    WorkerPool pool(threads);
    std::vector<float> distances(static_cast<std::size_t>(grid.width * grid.height), -1);
    const auto packed = std::span(whitener).first(whitener.size() - kTrianglePadding);
    Mahalanobis(mean, packed, grid, d, radius).run(embedding, distances, pool);
    return distances;
  }

  Size grid;
  int d;
  std::vector<float> mean;
  std::vector<float> embedding;
  std::vector<std::uint16_t> whitener;
  std::vector<Eigen::MatrixXd> rounded;
  std::vector<Eigen::MatrixXd> covariances;
};

// Every radius on grids wider, higher and smaller than the window, with any number of threads.
TEST(Mahalanobis, EqualsDoublePrecisionAtEveryRadius) {
  std::uint32_t seed = 0;
  for (const Size grid : {Size{7, 5}, Size{3, 9}, Size{1, 1}, Size{12, 1}, Size{2, 2}}) {
    for (const int d : {1, 5, 16, 33}) {
      const Scene scene(grid, d, seed += 100);
      for (int radius = 0; radius <= 4; ++radius) {
        for (const int threads : {1, 3}) {
          const auto distances = scene.measure(radius, threads);
          for (int p = 0; p < grid.width * grid.height; ++p) {
            const double expected = scene.expected(p, radius);
            ASSERT_NEAR(static_cast<double>(distances[static_cast<std::size_t>(p)]), expected, 1e-5 * (1 + expected))
                << grid.width << "x" << grid.height << ", d = " << d << ", radius " << radius << ", position " << p;
          }
        }
      }
    }
  }
}

// Equation 2 with the covariance itself, by solving instead of whitening: half precision costs a thousandth.
TEST(Mahalanobis, EqualsTheClosedForm) {
  const Scene scene({6, 4}, 24, 9);
  const auto distances = scene.measure(0, 2);
  for (int p = 0; p < 24; ++p) {
    const Eigen::VectorXd difference = scene.vector(scene.embedding, p) - scene.vector(scene.mean, p);
    const double square = difference.dot(scene.covariances[static_cast<std::size_t>(p)].ldlt().solve(difference));
    EXPECT_NEAR(static_cast<double>(distances[static_cast<std::size_t>(p)]) / std::sqrt(square), 1, 1e-3);
  }
}

// The mean itself lies at distance zero, never below it and never at the root of a negative number.
TEST(Mahalanobis, IsZeroAtTheMean) {
  Scene scene({4, 4}, 20, 5);
  scene.embedding = scene.mean;
  for (const int radius : {0, 2}) {
    for (const float distance : scene.measure(radius, 1)) EXPECT_EQ(distance, 0);
  }
}

// A NaN in an embedding is kept, whatever is near it: a broken network must not pass for a normal frame. Infinity
// likewise stays without bound.
TEST(Mahalanobis, KeepsWhatIsNotFinite) {
  for (const int radius : {0, 1, 4}) {
    for (const int threads : {1, 2}) {
      Scene scene({5, 5}, 9, 7);
      scene.embedding[12 * 9 + 4] = std::numeric_limits<float>::quiet_NaN();
      const auto distances = scene.measure(radius, threads);
      for (std::size_t p = 0; p < 25; ++p) EXPECT_EQ(std::isnan(distances[p]), p == 12) << radius << " at " << p;
      scene.embedding[12 * 9 + 4] = std::numeric_limits<float>::infinity();
      EXPECT_FALSE(std::isfinite(scene.measure(radius, threads)[12]));
    }
  }
}

// One object measures frame after frame, each for itself.
TEST(Mahalanobis, ForgetsTheFrameBefore) {
  const Scene scene({6, 6}, 10, 3);
  WorkerPool pool(2);
  Mahalanobis mahalanobis(scene.mean, std::span(scene.whitener).first(36 * triangle_size(10)), scene.grid, 10, 1);
  std::vector<float> first(36);
  std::vector<float> again(36);
  mahalanobis.run(scene.embedding, first, pool);
  mahalanobis.run(scene.mean, again, pool);
  mahalanobis.run(scene.embedding, again, pool);
  EXPECT_EQ(first, again);
}

}  // namespace
}  // namespace padim::test
