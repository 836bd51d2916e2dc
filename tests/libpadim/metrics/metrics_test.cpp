#include "padim/metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "padim/error.h"

namespace padim {
namespace {

struct Case {
  const char* name;
  std::vector<float> scores;
  std::vector<std::uint8_t> labels;
  double expected;
};

// Small inputs whose pairs can be counted by hand.
TEST(Auroc, EqualsTheCountOfOrderedPairs) {
  const std::vector<Case> cases = {
      {"separated", {0.1F, 0.2F, 0.8F, 0.9F}, {0, 0, 1, 1}, 1.0},
      {"reversed", {0.9F, 0.8F, 0.2F, 0.1F}, {0, 0, 1, 1}, 0.0},
      {"all equal", {5, 5, 5, 5, 5}, {0, 1, 0, 1, 1}, 0.5},
      {"scikit-learn's example", {0.1F, 0.4F, 0.35F, 0.8F}, {0, 0, 1, 1}, 0.75},
      {"one tie of four pairs", {1, 2, 2, 3}, {0, 0, 1, 1}, 0.875},
      {"signs of zero are equal", {-0.0F, 0.0F}, {0, 1}, 0.5},
      {"any label but 0 is anomalous", {1, 2, 3}, {0, 255, 7}, 1.0},
      {"negative scores", {-3, -1, -2}, {0, 1, 0}, 1.0},
  };
  for (const Case& c : cases) EXPECT_EQ(auroc(c.scores, c.labels), c.expected) << c.name;
}

double pair_count(const std::vector<float>& scores, const std::vector<std::uint8_t>& labels) {
  double won = 0;
  double pairs = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    for (std::size_t j = 0; j < scores.size(); ++j) {
      if (labels[i] == 0 || labels[j] != 0) continue;
      pairs += 1;
      won += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0;
    }
  }
  return won / pairs;
}

// Random scores with few and with many ties give what counting every pair gives.
TEST(Auroc, EqualsTheQuadraticCountOnRandomScores) {
  std::mt19937 random(7);
  for (const int distinct : {2, 10, 1000, 1 << 24}) {
    for (const std::size_t count : {2U, 3U, 50U, 700U}) {
      std::vector<float> scores(count);
      std::vector<std::uint8_t> labels(count);
      for (std::size_t i = 0; i < count; ++i) {
        scores[i] = static_cast<float>(static_cast<int>(random() % static_cast<unsigned>(distinct)) - distinct / 2);
        labels[i] = i == 0 ? 1 : i == 1 ? 0 : random() % 3 == 0;
      }
      EXPECT_DOUBLE_EQ(auroc(scores, labels), pair_count(scores, labels)) << distinct << " values, " << count;
    }
  }
}

// Scores i = 0..n-1 with every third anomalous have a closed form; their sums need more than 32 bits.
TEST(Auroc, IsExactForManyScores) {
  constexpr std::size_t kThird = 1'000'000;
  std::vector<float> scores(3 * kThird);
  std::vector<std::uint8_t> labels(3 * kThird);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    scores[i] = static_cast<float>(i);
    labels[i] = i % 3 == 2;
  }
  // The k-th anomalous score (from 0) has 2 * (k + 1) normal ones below it.
  EXPECT_DOUBLE_EQ(auroc(scores, labels), (kThird + 1.0) / (2.0 * kThird));
}

// Input without an answer is refused rather than given a number.
TEST(Auroc, RefusesWhatHasNoAnswer) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const std::vector<Case> cases = {
      {"sizes", {1, 2}, {0, 1, 1}, 0},     {"empty", {}, {}, 0},
      {"no anomaly", {1, 2}, {0, 0}, 0},   {"no normal", {1, 2}, {1, 1}, 0},
      {"NaN", {1, kNan, 2}, {0, 1, 1}, 0}, {"infinity", {1, kInfinity}, {0, 1}, 0},
  };
  for (const Case& c : cases) {
    try {
      static_cast<void>(auroc(c.scores, c.labels));
      ADD_FAILURE() << c.name << " was accepted";
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::invalid_argument) << c.name;
    }
  }
}

// Two defects of 4 and 1 pixels in an image of 10: at the highest score the small one is found whole, then three
// normal pixels of five come before the large one.
TEST(Ranking, CountsDefectsAlikeWhateverTheirSize) {
  const std::vector<float> scores = {1, 1, 3, 3, 3,  //
                                     1, 1, 2, 9, 3};
  const std::vector<std::uint8_t> mask = {1, 1, 0, 0, 0,  //
                                          1, 1, 0, 1, 0};
  Ranking ranking;
  ranking.add_pixels(scores, mask, 5);
  const RankingQuality quality = ranking.quality();
  EXPECT_EQ(quality.defects, 2);
  EXPECT_EQ(quality.normal, 5);
  EXPECT_DOUBLE_EQ(quality.auroc.value(), 1.0 / 5);
  EXPECT_DOUBLE_EQ(quality.aupro_05.value(), 0.5);
  EXPECT_DOUBLE_EQ(quality.aupro_30.value(), 0.5);
  EXPECT_DOUBLE_EQ(quality.average_precision.value(), (1.0 + 4 * 5.0 / 10) / 5);
  EXPECT_DOUBLE_EQ(quality.best_f1.value(), 2.0 * 5 / (2 * 5 + 5));
  EXPECT_EQ(quality.best_f1_threshold, 1);
}

// The area is cut inside a tie that spans the limit: overlap rises along the straight line from (0, 0) to (1, 1).
TEST(Ranking, InterpolatesAtTheLimit) {
  Ranking ranking;
  ranking.add_normal(std::vector<float>(8, 2.0F));
  ranking.add_defect(std::vector<float>(3, 2.0F));
  EXPECT_DOUBLE_EQ(ranking.quality().aupro_30.value(), 0.15);
  EXPECT_DOUBLE_EQ(ranking.quality().aupro_05.value(), 0.025);
}

// Parts that several threads made give what one ranking gives.
TEST(Ranking, AppendsParts) {
  std::mt19937 random(3);
  Ranking whole;
  Ranking sum;
  for (int image = 0; image < 7; ++image) {
    std::vector<float> scores(600);
    std::vector<std::uint8_t> mask(600);
    for (std::size_t i = 0; i < scores.size(); ++i) {
      scores[i] = static_cast<float>(random() % 100);
      mask[i] = random() % 5 == 0 ? 255 : 0;
    }
    whole.add_pixels(scores, mask, 30);
    Ranking part;
    part.add_pixels(scores, mask, 30);
    sum.append(std::move(part));
  }
  const RankingQuality expected = whole.quality();
  const RankingQuality quality = sum.quality();
  EXPECT_EQ(quality.defects, expected.defects);
  EXPECT_EQ(quality.auroc, expected.auroc);
  EXPECT_EQ(quality.average_precision, expected.average_precision);
  EXPECT_EQ(quality.aupro_30, expected.aupro_30);
  EXPECT_EQ(quality.curve.size(), expected.curve.size());
}

// Images that contradict themselves are refused, and nothing of them is kept.
TEST(Ranking, RefusesBrokenImages) {
  Ranking ranking;
  const std::vector<std::uint8_t> mask = {0, 1, 0, 1};
  const std::vector<float> infinite = {1, 2, std::numeric_limits<float>::infinity(), 4};
  const std::vector<float> fine = {1, 2, 3, 4};
  EXPECT_THROW(ranking.add_pixels(infinite, mask, 2), Error);
  EXPECT_THROW(ranking.add_pixels(fine, mask, 3), Error);
  EXPECT_THROW(ranking.add_pixels(fine, mask, 0), Error);
  EXPECT_THROW(ranking.add_pixels(fine, std::span(mask).first(2), 2), Error);
  ranking.add_defect({});
  ranking.add_normal({});
  const RankingQuality quality = ranking.quality();
  EXPECT_EQ(quality.normal + quality.anomalous + quality.defects, 0);
  EXPECT_FALSE(quality.auroc.has_value());
}

}  // namespace
}  // namespace padim
