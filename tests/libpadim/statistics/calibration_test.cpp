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
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// As many distinct images as there are scores.
ImageScores images(std::vector<float> scores) {
  const auto count = static_cast<double>(scores.size());
  return {std::move(scores), count, 1, {}};
}

// Scores 1000, 1001, ... in no order.
std::vector<float> shuffled(int count) {
  std::vector<float> scores(static_cast<std::size_t>(count));
  std::iota(scores.begin(), scores.end(), 1000.0F);
  std::shuffle(scores.begin(), scores.end(), std::mt19937(5));
  return scores;
}

// scipy.stats.gumbel_r.isf(rate, 1 - euler_gamma beta, beta) with beta = 0.25 sqrt(6) / pi times the mean score.
TEST(StreamThreshold, IsAFactorOfTheLevel) {
  const struct {
    double rate;
    double factor;
  } cases[] = {{0.5, 0.9589289360606603},
               {0.05, 1.4664496317929858},
               {0.01, 1.7841671074423933},
               {0.001, 2.2338778690616845},
               {1e-6, 3.5804639480151415}};
  for (const auto& c : cases) {
    const Calibration calibration = calibrate_stream({{30, 50, 40}, {}, {}, 6}, c.rate);
    EXPECT_NEAR(calibration.threshold, 40 * c.factor, 1e-9) << c.rate;
    EXPECT_EQ(calibration.rule, "stream");
    EXPECT_EQ(calibration.source, SourceKind::stream);
    EXPECT_EQ(calibration.segments, 6);
    EXPECT_EQ(calibration.distinct, 0);
    EXPECT_EQ(calibration.false_alarm_rate, c.rate);
    EXPECT_EQ(calibration.scores, (std::vector<float>{30, 50, 40}));
  }
}

// The level is that of the originals or of the copies, whichever is higher; neither their spread nor how many they are
// matters, and the copies are not recorded.
TEST(StreamThreshold, TakesTheHigherLevel) {
  const double of_40 = 40 * 1.7841671074423933;
  EXPECT_NEAR(calibrate_stream({{40, 40}, {10, 90, 8}, {}, 4}, 0.01).threshold, of_40, 1e-9);
  const Calibration copies = calibrate_stream({{30, 31, 32, 900, 7, 1}, {40}, {}, 4}, 0.01);
  EXPECT_NEAR(copies.threshold, 1001.0 / 6 * 1.7841671074423933, 1e-4);
  // Of a long fit the copies weigh less: their mean 90 beside 40, of 150 and of 1000 frames.
  const double factor = calibrate_stream({{1, 1}, {}, {}, 4}, 0.01).threshold;
  EXPECT_NEAR(calibrate_stream({{40, 40}, {90}, {}, 4, 100}, 0.01).threshold, 90 * factor, 1e-9);
  EXPECT_NEAR(calibrate_stream({{40, 40}, {90}, {}, 4, 150}, 0.01).threshold, 68.68285455319 * factor, 1e-6);
  EXPECT_NEAR(calibrate_stream({{40, 40}, {90}, {}, 4, 1000}, 0.01).threshold, 60 * factor, 1e-9);
  EXPECT_NEAR(calibrate_stream({{90, 90}, {40}, {}, 4, 1000}, 0.01).threshold, 90 * factor, 1e-9);
  const Calibration higher = calibrate_stream({{30, 32}, {20, 60}, {}, 4}, 0.01);
  EXPECT_NEAR(higher.threshold, of_40, 1e-9);
  EXPECT_EQ(higher.scores, (std::vector<float>{30, 32}));
}

// Of n images of which as many are distinct, the ceil((n + 1)(1 - a))-th smallest score, wherever 3 scores are expected
// beyond it; the predictive quantile below that.
TEST(ImageThreshold, IsAnOrderStatisticOfManyImages) {
  const struct {
    int count;
    double rate;
    int rank;  // 0: too few scores
  } cases[] = {{29, 0.1, 27},       {28, 0.1, 0},     {59, 0.05, 57}, {58, 0.05, 0}, {299, 0.01, 297}, {298, 0.01, 0},
               {2999, 0.001, 2997}, {2998, 0.001, 0}, {5, 0.5, 3},    {4, 0.5, 0},   {100, 0.05, 96}};
  for (const auto& c : cases) {
    const Calibration calibration = calibrate_images(images(shuffled(c.count)), c.rate);
    if (c.rank > 0) {
      EXPECT_EQ(calibration.threshold, 1000.0 + c.rank - 1) << c.count << ", " << c.rate;
    } else {
      EXPECT_NE(calibration.threshold, std::floor(calibration.threshold)) << c.count << ", " << c.rate;
    }
    EXPECT_EQ(calibration.rule, "images");
    EXPECT_EQ(calibration.source, SourceKind::images);
    EXPECT_EQ(calibration.segments, 0);
    EXPECT_EQ(calibration.distinct, c.count);
  }
  EXPECT_EQ(calibrate_images({shuffled(118), 59, 1, {}}, 0.05).threshold, 1000 + 114 - 1);
  EXPECT_NE(calibrate_images({shuffled(118), 58.9, 1, {}}, 0.05).threshold, 1000 + 114 - 1);
}

// numpy and scipy: q = gumbel_r.isf(rate, mean - euler_gamma beta, beta) by the method of moments (ddof 1), plus
// variance / (2 beta), variance = s^2 / n (1 + 1.1396 k + 1.1 k^2), k = (q - mean) / s.
TEST(ImageThreshold, AddsWhatFewImagesLeaveOpen) {
  const struct {
    std::vector<float> scores;
    double distinct;
    double rate;
    double expected;
  } cases[] = {{kEight, 8, 0.1, 13.24967530198424},         {kEight, 8, 0.05, 14.194459591276935},
               {kEight, 8, 0.01, 16.58589841498234},        {kEight, 8, 0.001, 20.568718877365605},
               {kEight, 5.5, 0.01, 17.274779605819727},     {kEight, 8, 1e-6, 36.68500444349219},
               {{20, 30, 28}, 3, 0.01, 60.013395277853604}, {{20, 30, 28}, 2, 0.01, 68.72124830634264}};
  for (const auto& c : cases) {
    EXPECT_NEAR(calibrate_images({c.scores, c.distinct, 1, {}}, c.rate).threshold, c.expected, 1e-9 * c.expected);
  }
  EXPECT_EQ(calibrate_images(images({50, 50, 50, 50}), 0.01).threshold, 50);
}

// On scores that really are Gumbel distributed, new ones exceed the threshold about as often as was asked for, on
// average over many small folders; a plain quantile would be exceeded 2 to 9 times as often.
TEST(ImageThreshold, KeepsTheWantedRateWithFewImages) {
  std::mt19937 generator(11);
  std::extreme_value_distribution<float> gumbel(40, 4);
  for (const auto& [count, rate, least, most] : {std::tuple{8, 0.05, 0.8, 1.4},
                                                 {8, 0.01, 0.8, 1.6},
                                                 {8, 0.001, 0.8, 2.4},
                                                 {16, 0.01, 0.8, 1.4},
                                                 {59, 0.05, 0.7, 1.3}}) {
    constexpr int kFolders = 4000;
    double exceeded = 0;
    for (int folder = 0; folder < kFolders; ++folder) {
      std::vector<float> scores(static_cast<std::size_t>(count));
      std::generate(scores.begin(), scores.end(), [&] { return gumbel(generator); });
      const double threshold = calibrate_images(images(scores), rate).threshold;
      exceeded += -std::expm1(-std::exp(-(threshold - 40) / 4)) / kFolders;
    }
    EXPECT_GT(exceeded / rate, least) << count << " images, " << rate;
    EXPECT_LT(exceeded / rate, most) << count << " images, " << rate;
  }
}

// Two scores say nothing about a spread: a stream's factor, of the level that new images have.
TEST(ImageThreshold, OfTwoImagesIsAFactorOfTheirLevel) {
  const double expected = 12 * 1.7841671074423933;
  EXPECT_NEAR(calibrate_images(images({10, 14}), 0.01).threshold, expected, 1e-9);
  EXPECT_NEAR(calibrate_images(images({12}), 0.01).threshold, expected, 1e-9);
  EXPECT_NEAR(calibrate_images({{12, 12, 12}, 3, 1, {}}, 0.01).threshold, 12, 1e-9);
}

// What images in order score above others raises the threshold, and never lowers it.
TEST(ImageThreshold, IsRaisedByTheOrder) {
  const double plain = calibrate_images(images(kEight), 0.01).threshold;
  for (const auto& [factor, raised] : {std::pair{1.4, 1.4}, {1.0, 1.0}, {0.8, 1.0}}) {
    EXPECT_NEAR(calibrate_images({kEight, 8, factor, {}}, 0.01).threshold, raised * plain, 1e-9) << factor;
  }
  EXPECT_NEAR(calibrate_images({shuffled(99), 99, 1.5, {}}, 0.05).threshold, 1.5 * 1094, 1e-9);
}

// Frames that are all alike have the threshold of one standard deviation, never 0 or less; what is recorded is what was
// given.
TEST(Calibration, NeverFallsBelowTheFloor) {
  for (const std::vector<float>& scores :
       {std::vector<float>{0}, {0, 0, 0, 0}, {0.1F}, {1e-30F, 2e-30F}, std::vector<float>(5000, 0.25F)}) {
    for (const Calibration& calibration :
         {calibrate_stream({scores, {}, {}, 6}, 0.001), calibrate_images(images(scores), 0.001)}) {
      EXPECT_EQ(calibration.threshold, kSmallestThreshold);
      EXPECT_EQ(calibration.rule, "floor");
      EXPECT_EQ(calibration.scores, scores);
      EXPECT_EQ(calibration.false_alarm_rate, 0.001);
    }
  }
  EXPECT_EQ(calibrate_images(images({0, 0, 0, 0}), 0.01).segments, 0);
  EXPECT_EQ(calibrate_stream({{0}, {}, {}, 3}, 0.01).segments, 3);
}

// A smaller wanted rate never gives a smaller threshold, where the quantile changes from one kind to the other
// included.
TEST(Calibration, IsMonotone) {
  const std::vector<float> scores = normal_floats(500, 7, 50, 3);
  double before_stream = 0;
  double before_images = 0;
  for (const double rate : {0.5, 0.2, 0.1, 0.05, 0.01, 0.005, 0.001, 1e-4, 1e-9, 1e-300}) {
    const double of_stream = calibrate_stream({scores, scores, {}, 5}, rate).threshold;
    const double of_images = calibrate_images(images(scores), rate).threshold;
    EXPECT_GT(of_stream, before_stream) << rate;
    EXPECT_GE(of_images, before_images) << rate;
    EXPECT_TRUE(std::isfinite(of_stream));
    EXPECT_TRUE(std::isfinite(of_images));
    before_stream = of_stream;
    before_images = of_images;
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

// Scores without a meaning give an error, not a threshold, wherever they are.
TEST(Calibration, RejectsWhatIsNotFinite) {
  const auto expect_rejected = [](const auto& calibrate, const char* word = "not finite") {
    expect_error(ErrorCode::numeric, {"threshold", word}, calibrate);
  };
  for (const std::vector<float>& scores : {std::vector<float>{1, kNan}, {kInfinity}, {3, -kInfinity, 5}}) {
    expect_rejected([&] { (void)calibrate_stream({scores, {}, {}, 5}, 0.01); });
    expect_rejected([&] { (void)calibrate_images(images(scores), 0.01); });
    expect_rejected([&] { (void)calibrate_stream({{4, 5}, scores, {}, 5}, 0.01); });
    expect_rejected([&] { (void)calibrate_stream({{4, 5}, {}, {scores}, 5}, 0.01); });
    expect_rejected([&] { (void)calibrate_images({{4, 5, 6}, 3, 1, {scores}}, 0.01); });
  }
  expect_rejected([] { (void)calibrate_stream({}, 0.01); }, "no held-out scores");
  expect_rejected([] { (void)calibrate_images({}, 0.01); }, "no held-out scores");
}

// scipy.stats.gumbel_r.isf(rate, mu, beta) with beta = std(ddof=1) sqrt(6) / pi and mu = mean - euler_gamma beta, of
// the stretch alone: two levels do not pass for one spread.
TEST(Calibration, TakesEachLearnedStretchByItself) {
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
    for (const Calibration& calibration : {calibrate_stream({{2, 3}, {2.5F}, {{1, 2}, c.scores}, 6}, c.rate),
                                           calibrate_images({{2, 2, 2}, 3, 1, {{1, 2}, c.scores}}, c.rate),
                                           calibrate_images({{}, 0, 1, {c.scores}}, c.rate)}) {
      EXPECT_NEAR(calibration.threshold / c.expected, 1, 1e-9) << c.rate;
      EXPECT_EQ(calibration.rule, "stretch");
      EXPECT_EQ(calibration.scores.back(), c.scores.back());
    }
  }
}

// A stretch that shows nothing new changes nothing but what is recorded.
TEST(Calibration, IsNotLoweredByAStretch) {
  const std::vector<float> level(20, 40);
  for (const Calibration& calibration :
       {calibrate_stream({level, {}, {{3, 4}}, 6}, 0.01), calibrate_images({kEight, 8, 1, {{3, 4}}}, 0.01)}) {
    EXPECT_EQ(calibration.rule, calibration.source == SourceKind::stream ? "stream" : "images");
    EXPECT_EQ(calibration.scores.back(), 4);
  }
  EXPECT_EQ(calibrate_images({kEight, 8, 1, {{3, 4}}}, 0.01).threshold,
            calibrate_images(images(kEight), 0.01).threshold);
}

// Few scores of a stretch say nothing about its spread: the common one serves; mean 44, standard deviation 2.581989.
TEST(Calibration, LendsAShortStretchTheCommonSpread) {
  const std::vector<float> common{40, 44, 48, 41, 47, 43, 45, 42, 46, 44};
  const double spread = 2.581988897471611 * (2.2338778690616845 - 1) / 0.25;
  EXPECT_NEAR(calibrate_stream({common, {}, {{300, 300}}, 6}, 0.001).threshold, 300 + spread, 1e-3);
  const std::vector<float> steady(8, 300);
  EXPECT_NEAR(calibrate_stream({common, {}, {steady}, 6}, 0.001).threshold, 300, 1e-3);
}

}  // namespace
}  // namespace padim::test
