#include "statistics/leave_out.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "packed.h"
#include "random_numbers.h"
#include "statistics/gaussian.h"

namespace padim::test {
namespace {

// Frames at the positions of a grid, each frame counting as much as its weight; what neighbouring positions show is
// alike, so that a search finds something.
struct Scene {
  Scene(Size size, int dimensions, int count, std::uint32_t seed, bool weighted = false)
      : grid(size), d(dimensions), frames(count) {
    values = normal_floats(static_cast<std::size_t>(frames * positions() * d), seed);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto j = static_cast<int>(i) % d;
      values[i] = values[i] * (j % 3 == 0 ? 2.0F : 0.5F) + static_cast<float>(j % 5);
      if (j > 0) values[i] += 0.5F * values[i - 1];
    }
    const auto size_of_one = static_cast<std::size_t>(positions() * d);
    set = {positions(), d, {}};
    for (int i = 0; i < frames; ++i) {
      set.frames.push_back(std::span(values).subspan(static_cast<std::size_t>(i) * size_of_one, size_of_one));
      weights.push_back(weighted ? 0.25 + 0.5 * (i % 4) : 1.0);
    }
  }

  [[nodiscard]] int positions() const { return grid.width * grid.height; }

  [[nodiscard]] Eigen::VectorXd x(int frame, int position) const {
    return Eigen::Map<const Eigen::VectorXf>(set.at(frame, position), d).cast<double>();
  }

  [[nodiscard]] double total(const std::vector<int>& without = {}) const {
    double sum = 0;
    for (const int i : rest(without)) sum += weights[static_cast<std::size_t>(i)];
    return sum;
  }

  [[nodiscard]] std::vector<int> rest(const std::vector<int>& without) const {
    std::vector<int> result;
    for (int i = 0; i < frames; ++i) {
      if (std::ranges::find(without, i) == without.end()) result.push_back(i);
    }
    return result;
  }

  [[nodiscard]] Eigen::VectorXd mean(int position, const std::vector<int>& without = {}) const {
    Eigen::VectorXd sum = Eigen::VectorXd::Zero(d);
    for (const int i : rest(without)) sum += weights[static_cast<std::size_t>(i)] * x(i, position);
    return sum / total(without);
  }

  [[nodiscard]] Eigen::MatrixXd comoment(int position, const std::vector<int>& without = {}) const {
    Eigen::MatrixXd sum = Eigen::MatrixXd::Zero(d, d);
    const Eigen::VectorXd centre = mean(position, without);
    for (const int i : rest(without)) {
      const Eigen::VectorXd y = x(i, position) - centre;
      sum += weights[static_cast<std::size_t>(i)] * y * y.transpose();
    }
    return sum;
  }

  [[nodiscard]] Eigen::MatrixXd pooled() const {
    Eigen::MatrixXd sum = Eigen::MatrixXd::Zero(d, d);
    for (int p = 0; p < positions(); ++p) sum += comoment(p);
    return sum / (positions() * (total() - 1));
  }

  Size grid;
  int d;
  int frames;
  std::vector<float> values;
  std::vector<double> weights;
  EmbeddingSet set;
};

// The fit of a scene, whitened in double precision and rounded to halves.
struct Fit {
  Fit(const Scene& of, double nu, double eps) : scene(of), prior(nu), epsilon(eps), pooled(of.pooled()) {
    for (int p = 0; p < scene.positions(); ++p) {
      const Eigen::VectorXf centre = scene.mean(p).cast<float>();
      mean.insert(mean.end(), centre.begin(), centre.end());
      const Eigen::MatrixXd sigma = covariance(p, {}, 1);
      auto packed = pack_whitener(inverse_cholesky(sigma));
      packed.resize(packed.size() - 16);
      const Eigen::MatrixXd lower = unpack_whitener(packed, scene.d)
                                        .triangularView<Eigen::Lower>()
                                        .solve(Eigen::MatrixXd::Identity(scene.d, scene.d));
      whitened_covariances.emplace_back(lower * lower.transpose());
      whitener.insert(whitener.end(), packed.begin(), packed.end());
    }
    whitener.resize(whitener.size() + 16, 0x7e00);  // NaN: what is read beyond must not count
  }

  [[nodiscard]] double m(const std::vector<int>& without = {}) const { return scene.total(without) - 1 + prior; }

  // That of a fit of its own, with the pooled covariance of all; `factor` of epsilon.
  [[nodiscard]] Eigen::MatrixXd covariance(int position, const std::vector<int>& without, double factor) const {
    const Eigen::MatrixXd sum = scene.comoment(position, without) + prior * pooled;
    return sum / m(without) + factor * epsilon * Eigen::MatrixXd::Identity(scene.d, scene.d);
  }

  // A fit of its own, with an epsilon that is greater as documented.
  [[nodiscard]] Eigen::MatrixXd refitted(int position, const std::vector<int>& without) const {
    return covariance(position, without, m() / m(without));
  }

  // The same of the covariance whose whitener the halves are exactly: what rounding them cost is gone.
  [[nodiscard]] Eigen::MatrixXd downdated(int position, const std::vector<int>& without) const {
    const Eigen::MatrixXd removed = scene.comoment(position) - scene.comoment(position, without);
    return (m() * whitened_covariances[static_cast<std::size_t>(position)] - removed) / m(without);
  }

  using Covariance = Eigen::MatrixXd (Fit::*)(int, const std::vector<int>&) const;

  // The smallest distance of a frame at a position to the Gaussians around, without some frames.
  [[nodiscard]] double expected(int frame, int position, const std::vector<int>& without, int radius,
                                Covariance covariance_of) const {
    double smallest = std::numeric_limits<double>::infinity();
    for (int q = 0; q < scene.positions(); ++q) {
      const int dx = q % scene.grid.width - position % scene.grid.width;
      const int dy = q / scene.grid.width - position / scene.grid.width;
      if (std::max(std::abs(dx), std::abs(dy)) > radius) continue;
      const Eigen::VectorXd y = scene.x(frame, position) - scene.mean(q, without);
      smallest = std::min(smallest, std::sqrt(y.dot((this->*covariance_of)(q, without).ldlt().solve(y))));
    }
    return smallest;
  }

  [[nodiscard]] std::vector<float> distances(const std::vector<LeaveOut>& queries, int radius, int threads = 1) const {
    WorkerPool pool(threads);
    const WhitenedFit fit{mean, whitener, scene.total(), prior};
    const std::vector<float> weights(scene.weights.begin(), scene.weights.end());
    return leave_out_distances(fit, scene.set, weights, queries, scene.grid, radius, pool);
  }

  // Largest deviation from what is expected, relative where that is more than one standard deviation.
  [[nodiscard]] double error(const std::vector<LeaveOut>& queries, int radius, Covariance covariance_of) const {
    const std::vector<float> found = distances(queries, radius);
    double largest = 0;
    std::size_t at = 0;
    for (const LeaveOut& query : queries) {
      for (const int frame : query.frames) {
        for (int p = 0; p < scene.positions(); ++p) {
          const double wanted = expected(frame, p, query.without, radius, covariance_of);
          largest = std::max(largest, std::abs(static_cast<double>(found[at++]) - wanted) / std::max(wanted, 1.0));
        }
      }
    }
    EXPECT_EQ(at, found.size());
    return largest;
  }

  const Scene& scene;
  double prior;
  double epsilon;
  Eigen::MatrixXd pooled;
  std::vector<float> mean;
  std::vector<std::uint16_t> whitener;
  std::vector<Eigen::MatrixXd> whitened_covariances;
};

std::vector<LeaveOut> each_alone(int frames) {
  std::vector<LeaveOut> queries;
  for (int i = 0; i < frames; ++i) queries.push_back({{i}, {i}});
  return queries;
}

// Blocks of several frames of which all, some or none are scored, out of order, and nothing left out at all.
const std::vector<LeaveOut> kBlocks = {
    {{2}, {2, 5}}, {{0, 1, 2, 3}, {0, 1, 2, 3}}, {{7, 4}, {9, 4, 11, 7, 1}}, {{3, 6}, {8, 10}}, {{5, 0}, {}}};

// Refits in double precision, for one frame or blocks, with and without prior, weights and search. Half-precision
// whiteners account for nearly all of the deviation: beside the covariance that the halves stand for, floats leave a
// hundredth of it.
TEST(LeaveOut, EqualsRefits) {
  std::uint32_t seed = 0;
  for (const auto& [d, frames] : {std::pair{1, 12}, {5, 14}, {16, 30}, {33, 48}}) {
    for (const bool weighted : {false, true}) {
      const Scene scene({3, 2}, d, frames, seed += 10, weighted);
      for (const double prior : {0.0, 30.0}) {
        const Fit fit(scene, prior, 0.2);
        for (const int radius : {0, 1}) {
          SCOPED_TRACE("d = " + std::to_string(d) + ", prior " + std::to_string(prior) + ", radius " +
                       std::to_string(radius) + (weighted ? ", weighted" : ""));
          for (const auto& queries : {each_alone(frames), kBlocks}) {
            EXPECT_LE(fit.error(queries, radius, &Fit::refitted), prior > 0 ? 1e-3 : 3e-3);
            EXPECT_LE(fit.error(queries, radius, &Fit::downdated), 2e-5);
          }
        }
      }
    }
  }
}

// Two frames are the fewest; what remains is one.
TEST(LeaveOut, WorksWithTwoFrames) {
  const Scene scene({2, 2}, 6, 2, 77);
  const Fit fit(scene, 30, 0.2);
  EXPECT_LE(fit.error(each_alone(2), 0, &Fit::refitted), 1e-3);
}

// A frame that made its own variance lies far away, at a finite distance, even where the covariance without it cannot
// be told from what rounding the whitener left.
TEST(LeaveOut, KeepsAFrameFarOff) {
  for (const double epsilon : {0.01, 1e5}) {
    Scene scene({2, 1}, 4, 12, 5);
    for (std::size_t j = 0; j < 8; ++j) scene.values[3 * 8 + j] += 3000;
    const Fit fit(scene, 0, epsilon);
    const std::vector<float> found = fit.distances(each_alone(12), 0);
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_TRUE(std::isfinite(found[i])) << i;
      if (i / 2 == 3) continue;
      EXPECT_LT(found[i], std::min(found[6], found[7]) / 4) << "epsilon " << epsilon << ", frame " << i / 2;
    }
  }
}

// Queries do not depend on each other, nor on the number of threads.
TEST(LeaveOut, IsTheSameInAnyCompanyAndWithAnyThreads) {
  const Scene scene({5, 3}, 9, 13, 31);
  const Fit fit(scene, 30, 0.1);
  for (const int radius : {0, 1, 2}) {
    const std::vector<float> all = fit.distances(kBlocks, radius);
    for (const int threads : {2, 4, 20}) EXPECT_EQ(fit.distances(kBlocks, radius, threads), all) << threads;
    std::vector<float> one_by_one;
    for (const LeaveOut& query : kBlocks) {
      const std::vector<float> one = fit.distances({query}, radius);
      one_by_one.insert(one_by_one.end(), one.begin(), one.end());
    }
    EXPECT_EQ(one_by_one, all);
  }
  EXPECT_TRUE(fit.distances({}, 0).empty());
}

}  // namespace
}  // namespace padim::test
