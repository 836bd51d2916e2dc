#include "statistics/calibration.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include "expect_error.h"
#include "random_numbers.h"

namespace padim::test {
namespace {

const std::vector<float> kEight = {10, 12, 11.5F, 13, 9.25F, 10.75F, 12.25F, 11};

// scipy.stats.gumbel_r.isf(rate, mu, beta) with beta = std(ddof=1) sqrt(6) / pi and mu = mean - euler_gamma beta.
TEST(Calibration, GumbelQuantileEqualsScipy) {
  const struct {
    std::vector<float> scores;
    double rate;
    double expected;
  } cases[] = {
      {kEight, 0.1, 12.820647528900066},      {kEight, 0.05, 13.5098203008355},   {kEight, 0.01, 15.070359795140078},
      {kEight, 0.001, 17.279213441248935},    {kEight, 1e-6, 23.893268127389188}, {kEight, 1e-12, 37.12042112340302},
      {{100, 200}, 0.001, 498.9933633478095},
  };
  for (const auto& c : cases) {
    const Calibration calibration = calibrate(c.scores, 4, c.rate);
    EXPECT_NEAR(calibration.threshold / c.expected, 1, 1e-9) << c.rate;
  }
  EXPECT_EQ(calibrate(kEight, 4, 0.01).rule, "gumbel");
}

// The conformal quantile is the ceil((n + 1)(1 - a))-th smallest score, and is absent where that rank exceeds n. Nearly
// all scores alike with one far outlier make the Gumbel quantile the smaller of the two.
TEST(Calibration, ConformalQuantileHasTheExactRank) {
  const struct {
    int count;
    double rate;
    int rank;  // 0: too few scores
  } cases[] = {{9, 0.1, 9},       {8, 0.1, 0},     {19, 0.05, 19},   {18, 0.05, 0},    {99, 0.01, 99}, {98, 0.01, 0},
               {999, 0.001, 999}, {998, 0.001, 0}, {199, 0.01, 198}, {100, 0.01, 100}, {1, 0.5, 1},    {3, 0.5, 2}};
  for (const auto& c : cases) {
    std::vector<float> scores(static_cast<std::size_t>(c.count));
    // Growing so steeply that every order statistic but the first few lies above the Gumbel quantile of a sane spread.
    std::iota(scores.begin(), scores.end(), 1000.0F);
    std::shuffle(scores.begin(), scores.end(), std::mt19937(5));
    const Calibration calibration = calibrate(scores, 5, c.rate);
    const double conformal = c.rank == 0 ? 0 : 1000.0 + c.rank - 1;
    EXPECT_GE(calibration.threshold, conformal) << c.count << ", " << c.rate;
    if (calibration.rule == "conformal") {
      EXPECT_EQ(calibration.threshold, conformal) << c.count << ", " << c.rate;
    }
  }
  std::vector<float> two_levels(200, 100.0F);
  std::fill_n(two_levels.begin(), 11, 1000.0F);  // 5.5 %: the 191st of 200 at a = 5 % is the first of the upper level
  const Calibration calibration = calibrate(two_levels, 5, 0.05);
  EXPECT_EQ(calibration.rule, "conformal");
  EXPECT_EQ(calibration.threshold, 1000);
  std::fill_n(two_levels.begin(), 200, 100.0F);
  std::fill_n(two_levels.begin(), 10, 1000.0F);  // now rank 191 is the first of the ten above
  EXPECT_EQ(calibrate(two_levels, 5, 0.05).threshold, 1000);
  two_levels[0] = 100;  // nine above: rank 191 is 100, and the Gumbel quantile decides
  EXPECT_EQ(calibrate(two_levels, 5, 0.05).rule, "gumbel");
}

// Frames that are all alike have the threshold of one standard deviation, never 0 or less; what is recorded is what was
// given.
TEST(Calibration, NeverFallsBelowTheFloor) {
  for (const std::vector<float>& scores :
       {std::vector<float>{0}, {0, 0, 0, 0}, {0.5F}, {1e-30F, 2e-30F}, std::vector<float>(5000, 0.25F)}) {
    const Calibration calibration = calibrate(scores, 6, 0.001);
    EXPECT_EQ(calibration.threshold, kSmallestThreshold);
    EXPECT_EQ(calibration.rule, "floor");
    EXPECT_EQ(calibration.scores, scores);
    EXPECT_EQ(calibration.segments, 6);
    EXPECT_EQ(calibration.false_alarm_rate, 0.001);
  }
  EXPECT_EQ(calibrate({kSmallestThreshold}, 4, 0.01).threshold, kSmallestThreshold);
}

// A smaller wanted rate never gives a smaller threshold, and more scatter never does either.
TEST(Calibration, IsMonotone) {
  const std::vector<float> scores = normal_floats(500, 7, 50, 3);
  double before = 0;
  for (const double rate : {0.5, 0.2, 0.1, 0.05, 0.01, 0.005, 0.001, 1e-4, 1e-9, 1e-300}) {
    const double threshold = calibrate(scores, 5, rate).threshold;
    EXPECT_GE(threshold, before) << rate;
    EXPECT_TRUE(std::isfinite(threshold));
    before = threshold;
  }
}

// On scores that really are Gumbel distributed, fresh ones exceed the threshold about as often as was asked for.
TEST(Calibration, KeepsTheWantedRate) {
  std::mt19937 generator(11);
  std::extreme_value_distribution<float> gumbel(40, 4);
  for (const double rate : {0.05, 0.01}) {
    std::vector<float> scores(240);
    std::generate(scores.begin(), scores.end(), [&] { return gumbel(generator); });
    const double threshold = calibrate(scores, 6, rate).threshold;
    int exceeded = 0;
    for (int i = 0; i < 100'000; ++i) exceeded += static_cast<double>(gumbel(generator)) >= threshold;
    EXPECT_LT(exceeded, 2 * rate * 100'000) << rate;
    EXPECT_GT(exceeded, rate * 100'000 / 8) << rate;
  }
}

// Without scores the threshold is a scale that a Gaussian's own samples stay below: about one in a million exceeds it
// (scipy.stats.chi.sf gives 5.7e-6 for one dimension, 4.7e-7 for 550).
TEST(Calibration, HasAScaleWithoutScores) {
  for (const int d : {1, 2, 16, 100, 550}) {
    const Calibration calibration = uncalibrated(d);
    EXPECT_EQ(calibration.segments, 0);
    EXPECT_EQ(calibration.rule, "none");
    EXPECT_TRUE(calibration.scores.empty());
    std::mt19937 generator(static_cast<std::uint32_t>(d));
    std::chi_squared_distribution<double> squares(d);
    int exceeded = 0;
    double largest = 0;
    for (int i = 0; i < 20'000; ++i) {
      const double distance = std::sqrt(squares(generator));
      exceeded += distance >= calibration.threshold;
      largest = std::max(largest, distance);
    }
    EXPECT_LE(exceeded, 2) << d;
    EXPECT_GT(largest, calibration.threshold - 2) << d;  // and no more above them than it has to be
  }
}

// Scores without a meaning give an error, not a threshold.
TEST(Calibration, RejectsWhatIsNotFinite) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  for (const std::vector<float>& scores : {std::vector<float>{}, {1, nan}, {infinity}, {3, -infinity, 5}}) {
    expect_error(ErrorCode::numeric, {"threshold", "not finite"}, [&] { (void)calibrate(scores, 5, 0.01); });
  }
}

// A learned stretch is another normal: its own scores tell its quantile, and the two levels do not pass for one spread.
TEST(Calibration, TakesEachLearnedStretchByItself) {
  std::vector<float> common;
  std::vector<float> stretch;
  for (int i = 0; i < 40; ++i) common.push_back(static_cast<float>(40 + i % 7));
  for (int i = 0; i < 20; ++i) stretch.push_back(static_cast<float>(160 + i % 3));
  const double alone = calibrate(stretch, 5, 0.001).threshold;
  const Calibration both = calibrate(common, 6, 0.001, {stretch});
  EXPECT_DOUBLE_EQ(both.threshold, alone);
  EXPECT_EQ(both.rule, "stretch");
  EXPECT_EQ(both.scores.size(), 60U);
  EXPECT_EQ(both.scores.back(), stretch.back());
  const Calibration harmless = calibrate(stretch, 6, 0.001, {common});
  EXPECT_DOUBLE_EQ(harmless.threshold, alone);
  EXPECT_EQ(harmless.rule, "gumbel");
  const Calibration only = calibrate({}, 1, 0.001, {stretch});
  EXPECT_DOUBLE_EQ(only.threshold, alone);
}

// Few scores of a stretch say nothing about its spread.
TEST(Calibration, LendsAShortStretchTheCommonSpread) {
  const std::vector<float> common{40, 44, 48, 41, 47, 43, 45, 42, 46, 44};
  const double spread = calibrate(common, 5, 0.001).threshold - 44;
  EXPECT_NEAR(calibrate(common, 6, 0.001, {{100, 100}}).threshold, 100 + spread, 1e-3);
}

}  // namespace
}  // namespace padim::test
