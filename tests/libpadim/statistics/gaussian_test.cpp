#include "statistics/gaussian.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "base/packed_triangle.h"
#include "expect_error.h"
#include "packed.h"
#include "random_numbers.h"

namespace padim::test {
namespace {

constexpr int kPositions = 3;

// Frames [N, P, d] whose dimensions have very different means and spreads and depend on each other.
struct Sample {
  Sample(int count, int dimensions) : frames(count), d(dimensions) {
    values = normal_floats(static_cast<std::size_t>(frames * kPositions * d), static_cast<std::uint32_t>(frames + d));
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto j = static_cast<int>(i) % d;
      values[i] = values[i] * (j % 3 == 0 ? 5.0F : 0.2F) + static_cast<float>(10 * (j % 7));
      if (j > 0) values[i] += 0.5F * values[i - 1];
    }
  }

  [[nodiscard]] std::span<const float> part(int first, int count) const {
    const auto size = static_cast<std::size_t>(kPositions * d);
    return std::span(values).subspan(static_cast<std::size_t>(first) * size, static_cast<std::size_t>(count) * size);
  }

  [[nodiscard]] Eigen::MatrixXd matrix(int position) const {
    Eigen::MatrixXd x(frames, d);
    for (int n = 0; n < frames; ++n) {
      for (int j = 0; j < d; ++j) {
        x(n, j) = static_cast<double>(values[static_cast<std::size_t>((n * kPositions + position) * d + j)]);
      }
    }
    return x;
  }

  int frames;
  int d;
  std::vector<float> values;
};

void expect_equals(const Gaussian& gaussian, const Sample& sample, const std::string& how) {
  ASSERT_EQ(gaussian.count(), sample.frames) << how;
  for (int p = 0; p < kPositions; ++p) {
    const Eigen::MatrixXd x = sample.matrix(p);
    const Eigen::RowVectorXd mean = x.colwise().mean();
    const Eigen::MatrixXd centered = x.rowwise() - mean;
    const Eigen::MatrixXd comoment = centered.transpose() * centered;
    for (int j = 0; j < sample.d; ++j) {
      EXPECT_NEAR(static_cast<double>(gaussian.mean()[static_cast<std::size_t>(p * sample.d + j)]), mean(j),
                  2e-6 * (1 + std::abs(mean(j))))
          << how;
    }
    const std::size_t triangle = triangle_size(sample.d);
    const auto packed = gaussian.comoment().subspan(static_cast<std::size_t>(p) * triangle, triangle);
    const double error = (unpack_symmetric(packed, sample.d) - comoment).cwiseAbs().maxCoeff();
    EXPECT_LE(error, 1e-5 * comoment.diagonal().maxCoeff() + 1e-6)
        << how << ", N = " << sample.frames << ", d = " << sample.d;
  }
}

// One pass in batches of any size gives the co-moment of two passes in double precision.
TEST(Gaussian, EqualsDoublePrecisionInAnyBatchSplit) {
  WorkerPool pools[] = {WorkerPool(1), WorkerPool(2), WorkerPool(3)};
  for (const auto& [frames, d] : {std::pair{2, 5}, {3, 1}, {40, 7}, {100, 33}, {9, 64}, {300, 16}}) {
    const Sample sample(frames, d);
    for (const int batch : {1, 2, 3, 16, 1000}) {
      Gaussian gaussian(kPositions, d);
      for (int n = 0; n < frames; n += batch) {
        const int count = std::min(batch, frames - n);
        gaussian.add(sample.part(n, count), count, pools[batch % 3]);
      }
      expect_equals(gaussian, sample, "batch " + std::to_string(batch));
    }
  }
}

// Shards merge to the same statistics in any order and nesting, empty ones included.
TEST(Gaussian, MergesInAnyOrder) {
  WorkerPool pool(2);
  const Sample sample(60, 12);
  const int ends[] = {1, 7, 7, 30, 31, 60};
  std::vector<Gaussian> shards;
  int begin = 0;
  for (const int end : ends) {
    shards.emplace_back(kPositions, 12);
    shards.back().add(sample.part(begin, end - begin), end - begin, pool);
    begin = end;
  }
  std::vector<int> order(shards.size());
  std::iota(order.begin(), order.end(), 0);
  std::mt19937 generator(4);
  for (int round = 0; round < 20; ++round) {
    std::shuffle(order.begin(), order.end(), generator);
    Gaussian left(kPositions, 12);
    Gaussian right(kPositions, 12);
    for (std::size_t i = 0; i < order.size(); ++i) {
      (i < 3 ? left : right).merge(shards[static_cast<std::size_t>(order[i])].view(), 1, pool);
    }
    left.merge(right.view(), 1, pool);
    expect_equals(left, sample, "merge order " + std::to_string(round));
  }
}

// A mean far above the spread costs no accuracy: updates are centred.
TEST(Gaussian, SurvivesLargeMeans) {
  WorkerPool pool(2);
  Sample sample(200, 6);
  for (float& value : sample.values) value = 10'000 + std::round(value * 64) / 64;
  for (const int batch : {1, 16}) {
    Gaussian gaussian(kPositions, 6);
    for (int n = 0; n < 200; n += batch)
      gaussian.add(sample.part(n, std::min(batch, 200 - n)), std::min(batch, 200 - n), pool);
    const Eigen::MatrixXd x = sample.matrix(0);
    const Eigen::MatrixXd centered = x.rowwise() - x.colwise().mean();
    const Eigen::MatrixXd comoment = centered.transpose() * centered;
    const auto packed = gaussian.comoment().first(triangle_size(6));
    EXPECT_LE((unpack_symmetric(packed, 6) - comoment).cwiseAbs().maxCoeff(), 1e-3 * comoment.diagonal().maxCoeff());
  }
}

// Without frames nothing changes; a reset starts anew.
TEST(Gaussian, ForgetsOnReset) {
  WorkerPool pool(2);
  const Sample sample(20, 4);
  Gaussian gaussian(kPositions, 4);
  gaussian.add({}, 0, pool);
  EXPECT_EQ(gaussian.count(), 0);
  EXPECT_EQ(gaussian.view().mean_variance(), 0);
  gaussian.add(sample.part(3, 5), 5, pool);
  gaussian.reset();
  EXPECT_EQ(gaussian.count(), 0);
  gaussian.add(sample.part(0, 20), 20, pool);
  expect_equals(gaussian, sample, "after a reset");
}

// The mean of the unbiased variances over positions and dimensions.
TEST(Gaussian, KnowsItsMeanVariance) {
  WorkerPool pool(2);
  const Sample sample(50, 9);
  Gaussian gaussian(kPositions, 9);
  gaussian.add(sample.values, 50, pool);
  double sum = 0;
  for (int p = 0; p < kPositions; ++p) {
    const Eigen::MatrixXd x = sample.matrix(p);
    sum += (x.rowwise() - x.colwise().mean()).cwiseAbs2().sum() / 49;
  }
  EXPECT_NEAR(gaussian.view().mean_variance() * kPositions * 9 / sum, 1, 1e-5);
  Gaussian one(kPositions, 9);
  one.add(sample.part(0, 1), 1, pool);
  EXPECT_EQ(one.view().mean_variance(), 0);
}

// W is the inverse Cholesky factor of M / (N - 1) + epsilon I at every position, also for fewer frames than dimensions.
TEST(Gaussian, WhitensEveryPosition) {
  WorkerPool pool(2);
  for (const auto& [frames, d] : {std::pair{50, 10}, {5, 20}, {2, 17}}) {
    const Sample sample(frames, d);
    Gaussian gaussian(kPositions, d);
    gaussian.add(sample.values, frames, pool);
    const auto whitener = whiten(gaussian.view(), Regularisation{0.1}, pool);
    ASSERT_EQ(whitener.size(), kPositions * triangle_size(d) + kTrianglePadding);
    for (int p = 0; p < kPositions; ++p) {
      const Eigen::MatrixXd x = sample.matrix(p);
      const Eigen::MatrixXd centered = x.rowwise() - x.colwise().mean();
      const Eigen::MatrixXd sigma =
          centered.transpose() * centered / (frames - 1) + 0.1 * Eigen::MatrixXd::Identity(d, d);
      const auto packed = std::span(whitener).subspan(static_cast<std::size_t>(p) * triangle_size(d), triangle_size(d));
      const Eigen::MatrixXd difference = unpack_whitener(packed, d) - inverse_cholesky(sigma);
      EXPECT_LT(difference.cwiseAbs().maxCoeff(), 3e-3) << "N = " << frames << ", d = " << d << ", p = " << p;
    }
  }
}

Gaussian gaussian_of(const Sample& sample) {
  WorkerPool pool(2);
  Gaussian gaussian(kPositions, sample.d);
  gaussian.add(sample.values, sample.frames, pool);
  return gaussian;
}

// The pooled covariance is the mean of the covariances of the positions that count, and its trace that of the
// variances.
TEST(Gaussian, PoolsCovariances) {
  WorkerPool pool(2);
  const Sample sample(30, 21);
  const Gaussian gaussian = gaussian_of(sample);
  for (const std::vector<std::uint8_t>& counts : {std::vector<std::uint8_t>{}, {1, 0, 255}, {0, 1, 0}}) {
    const auto pooled = pooled_covariance(gaussian.view(), counts, pool);
    ASSERT_EQ(pooled.size(), triangle_size(sample.d));
    Eigen::MatrixXd sum = Eigen::MatrixXd::Zero(sample.d, sample.d);
    int counting = 0;
    for (int p = 0; p < kPositions; ++p) {
      if (!counts.empty() && counts[static_cast<std::size_t>(p)] == 0) continue;
      ++counting;
      const Eigen::MatrixXd x = sample.matrix(p);
      const Eigen::MatrixXd centered = x.rowwise() - x.colwise().mean();
      sum += centered.transpose() * centered / (sample.frames - 1);
    }
    const Eigen::MatrixXd result = unpack_symmetric(std::span<const double>(pooled), sample.d);
    const Eigen::MatrixXd expected = sum / counting;
    EXPECT_LE((result - expected).cwiseAbs().maxCoeff(), 1e-5 * expected.diagonal().maxCoeff());
    EXPECT_NEAR(result.trace() / sample.d / gaussian.view().mean_variance(counts), 1, 1e-12);
  }
}

// Without a second frame, or a position that counts, there is no covariance to pool.
TEST(Gaussian, PoolsNothing) {
  WorkerPool pool(2);
  const std::vector<double> zeros(triangle_size(4));
  EXPECT_EQ(pooled_covariance(gaussian_of(Sample(1, 4)).view(), {}, pool), zeros);
  const std::vector<std::uint8_t> none(kPositions);
  EXPECT_EQ(pooled_covariance(gaussian_of(Sample(9, 4)).view(), none, pool), zeros);
}

// The number of threads changes no bit of the pooled covariance nor of the whitener.
TEST(Gaussian, IsTheSameForAnyNumberOfThreads) {
  const Gaussian gaussian = gaussian_of(Sample(30, 21));
  WorkerPool single(1);
  const auto pooled = pooled_covariance(gaussian.view(), {}, single);
  const auto whitener = whiten(gaussian.view(), Regularisation{0.1, 5, pooled}, single);
  for (const int threads : {2, 3, 7}) {
    WorkerPool pool(threads);
    EXPECT_EQ(pooled_covariance(gaussian.view(), {}, pool), pooled) << threads;
    EXPECT_EQ(whiten(gaussian.view(), Regularisation{0.1, 5, pooled}, pool), whitener) << threads;
  }
}

// With a prior, W is the inverse Cholesky factor of (M + nu S) / (N - 1 + nu) + epsilon I.
TEST(Gaussian, WhitensWithAPrior) {
  WorkerPool pool(2);
  for (const auto& [frames, d] : {std::pair{50, 10}, {5, 20}, {2, 17}}) {
    const Sample sample(frames, d);
    const Gaussian gaussian = gaussian_of(sample);
    const auto pooled = pooled_covariance(gaussian.view(), {}, pool);
    const Eigen::MatrixXd prior = unpack_symmetric(std::span<const double>(pooled), d);
    const double nu = 12.5;
    const auto whitener = whiten(gaussian.view(), Regularisation{0.1, nu, pooled}, pool);
    for (int p = 0; p < kPositions; ++p) {
      const Eigen::MatrixXd x = sample.matrix(p);
      const Eigen::MatrixXd centered = x.rowwise() - x.colwise().mean();
      const Eigen::MatrixXd sigma =
          (centered.transpose() * centered + nu * prior) / (frames - 1 + nu) + 0.1 * Eigen::MatrixXd::Identity(d, d);
      const auto packed = std::span(whitener).subspan(static_cast<std::size_t>(p) * triangle_size(d), triangle_size(d));
      const Eigen::MatrixXd difference = unpack_whitener(packed, d) - inverse_cholesky(sigma);
      EXPECT_LT(difference.cwiseAbs().maxCoeff(), 3e-3) << "N = " << frames << ", d = " << d << ", p = " << p;
    }
  }
}

// A prior that weighs nothing gives the bits of none.
TEST(Gaussian, IsUnchangedByAPriorOfNoWeight) {
  WorkerPool pool(2);
  const Gaussian gaussian = gaussian_of(Sample(30, 21));
  const auto pooled = pooled_covariance(gaussian.view(), {}, pool);
  EXPECT_EQ(whiten(gaussian.view(), Regularisation{0.1, 0, pooled}, pool),
            whiten(gaussian.view(), Regularisation{0.1}, pool));
}

// A prior of another number of dimensions, or none at all, is refused.
TEST(Gaussian, RejectsAPriorOfAnotherSize) {
  WorkerPool pool(2);
  const Gaussian gaussian = gaussian_of(Sample(9, 4));
  const std::vector<double> small(triangle_size(3));
  expect_error(ErrorCode::invalid_argument, {"pooled covariance", "10 elements", "6 were"}, [&] {
    (void)whiten(gaussian.view(), Regularisation{0.1, 1, small}, pool);
  });
  expect_error(ErrorCode::invalid_argument, {"10 elements", "0 were"}, [&] {
    (void)whiten(gaussian.view(), Regularisation{0.1, 1}, pool);
  });
}

// One frame has no covariance; a broken one is named by its position and by what may help.
TEST(Gaussian, RejectsWhatCannotBeWhitened) {
  WorkerPool pool(2);
  Gaussian gaussian(kPositions, 2);
  expect_error(ErrorCode::numeric, {"at least 2 frames", "0 were"},
               [&] { (void)whiten(gaussian.view(), Regularisation{0.1}, pool); });
  std::vector<float> frame(kPositions * 2, 1.0F);
  gaussian.add(frame, 1, pool);
  expect_error(ErrorCode::numeric, {"at least 2 frames", "1 were"},
               [&] { (void)whiten(gaussian.view(), Regularisation{0.1}, pool); });
  frame[3] = std::numeric_limits<float>::quiet_NaN();
  gaussian.add(frame, 1, pool);
  expect_error(ErrorCode::numeric, {"position 1", "epsilon"},
               [&] { (void)whiten(gaussian.view(), Regularisation{0.1}, pool); });
}

}  // namespace
}  // namespace padim::test
