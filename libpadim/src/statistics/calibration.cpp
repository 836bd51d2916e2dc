// Image scores are maxima over many patches, so their upper tail is close to a Gumbel distribution: with mean m and
// standard deviation s, beta = s sqrt(6) / pi, and the quantile at 1 - a is m + beta (y - gamma), y = -ln(-ln(1 - a))
// (method of moments). The conformal quantile, the ceil((n + 1)(1 - a))-th smallest score, holds without any assumption
// but exists only for n >= 1 / a - 1. A stream's scores are correlated and their measured spread tells little about
// what drift will bring, so that a constant share of their level serves better (docs/calibration.md).
// Without scores, the distance of a d-dimensional Gaussian's own samples serves: it follows the chi distribution, whose
// mean is just below sqrt(d) and whose standard deviation is just below 1 / sqrt(2).

#include "statistics/calibration.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "base/order_statistic.h"
#include "padim/error.h"

namespace padim {
namespace {

constexpr double kSpread = 0.25;      // of a stream's scores, as a share of their mean
constexpr int kOwnSpread = 8;         // scores of a stretch from which its own spread is believed
constexpr double kConformalTail = 3;  // scores wanted beyond a conformal quantile

struct Moments {
  double mean = 0;
  double deviation = 0;
};

Moments moments(std::span<const float> scores) {
  const auto n = static_cast<double>(scores.size());
  Moments result;
  for (const float score : scores) result.mean += static_cast<double>(score) / n;
  double squares = 0;
  for (const float score : scores) squares += std::pow(static_cast<double>(score) - result.mean, 2);
  if (scores.size() > 1) result.deviation = std::sqrt(squares / (n - 1));
  return result;
}

// (Quantile at 1 - rate - mean) / standard deviation of a Gumbel distribution.
double standard_quantile(double rate) {
  const double y = -std::log(-std::log1p(-rate));
  return (y - std::numbers::egamma) * std::sqrt(6.0) / std::numbers::pi;
}

double gumbel_quantile(const Moments& moments, double rate) {
  return moments.mean + standard_quantile(rate) * moments.deviation;
}

// The quantile of the predictive distribution to second order: the variance of the method of moments' quantile
// (Tiago de Oliveira 1963) over twice the scale is what its uncertainty adds.
double predictive_quantile(const Moments& moments, double n, double rate) {
  if (moments.deviation == 0) return moments.mean;
  const double k = standard_quantile(rate);
  const double beta = moments.deviation * std::sqrt(6.0) / std::numbers::pi;
  const double variance = std::pow(moments.deviation, 2) * (1 + 1.1396 * k + 1.1 * k * k) / n;
  return gumbel_quantile(moments, rate) + variance / (2 * beta);
}

double conformal_quantile(std::span<const float> scores, double rate) {
  const auto n = static_cast<double>(scores.size());
  const auto rank = static_cast<std::size_t>(std::clamp(std::ceil((n + 1) * (1 - rate) - 1e-9), 1.0, n));
  std::vector<float> sorted(scores.begin(), scores.end());
  return static_cast<double>(order_statistic(std::span(sorted), rank - 1));
}

void check(std::span<const float> scores) {
  if (std::ranges::all_of(scores, [](float score) { return std::isfinite(score); })) return;
  throw Error(ErrorCode::numeric, "the threshold cannot be calibrated: held-out scores are not finite");
}

double level_times_factor(double level, double rate) { return gumbel_quantile({level, kSpread * level}, rate); }

// Copies stand for what the fit has not seen of the camera: the longer it has looked, the less they count beside what
// it has seen.
double level_of(const StreamScores& scores) {
  constexpr double kLongFit = 100;  // frames
  const double seen = moments(scores.originals).mean;
  const double copies = moments(scores.copies).mean;
  if (!(copies > seen) || seen <= 0) return std::max(seen, copies);
  const double frames = std::max(static_cast<double>(scores.frames), kLongFit);
  return seen * std::pow(copies / seen, std::max(kLongFit / frames, 0.5));
}

// Scores of learned stretches stand last.
std::span<const float> regular_scores(const Calibration& calibration) {
  std::size_t learned = 0;
  for (const int size : calibration.stretches) learned += static_cast<std::size_t>(size);
  return std::span(calibration.scores).first(calibration.scores.size() - std::min(learned, calibration.scores.size()));
}

double image_threshold(const Calibration& calibration, double rate) {
  const std::span<const float> scores = regular_scores(calibration);
  if (scores.empty()) return 0;
  const Moments own = moments(scores);
  double threshold = predictive_quantile(own, std::max(calibration.distinct, 1.0), rate);
  if (scores.size() < 3) threshold = level_times_factor(own.mean, rate);
  if (calibration.distinct >= kConformalTail / rate - 1) threshold = conformal_quantile(scores, rate);
  return threshold * std::max(calibration.order_factor, 1.0);
}

double stream_threshold(const Calibration& calibration, double rate) {
  if (calibration.level > 0) return level_times_factor(calibration.level, rate);
  return gumbel_quantile(moments(regular_scores(calibration)), rate);  // of version 0.1
}

struct Rule {
  double threshold = 0;
  const char* name = "";
};

Rule rule_at(const Calibration& calibration, double rate) {
  Rule rule{stream_threshold(calibration, rate), "stream"};
  if (calibration.source == SourceKind::images) rule = {image_threshold(calibration, rate), "images"};
  const auto raise = [&](const Rule& candidate) {
    if (rule.threshold < candidate.threshold) rule = candidate;
  };
  const Moments common = moments(regular_scores(calibration));
  auto next = calibration.scores.begin() + static_cast<std::ptrdiff_t>(regular_scores(calibration).size());
  for (const int size : calibration.stretches) {
    Moments own = moments({next, next + size});
    if (size < kOwnSpread) own.deviation = std::max(own.deviation, common.deviation);
    if (size > 0) raise({gumbel_quantile(own, rate), "stretch"});
    next += size;
  }
  raise({kSmallestThreshold, "floor"});
  return rule;
}

// With scores and stretches still to come.
Calibration completed(Calibration calibration, const std::vector<float>& scores, const StretchScores& stretches) {
  calibration.scores = scores;
  for (const auto& stretch : stretches) {
    calibration.scores.insert(calibration.scores.end(), stretch.begin(), stretch.end());
    calibration.stretches.push_back(static_cast<int>(stretch.size()));
  }
  if (calibration.scores.empty()) {
    throw Error(ErrorCode::numeric, "the threshold cannot be calibrated: there are no held-out scores");
  }
  check(calibration.scores);
  const Rule rule = rule_at(calibration, calibration.false_alarm_rate);
  calibration.threshold = rule.threshold;
  calibration.rule = rule.name;
  return calibration;
}

}  // namespace

double threshold_at(const Calibration& calibration, double false_alarm_rate) {
  return rule_at(calibration, false_alarm_rate).threshold;
}

Calibration calibrate_stream(const StreamScores& scores, double false_alarm_rate) {
  check(scores.copies);
  Calibration calibration;
  calibration.false_alarm_rate = false_alarm_rate;
  calibration.segments = scores.segments;
  calibration.level = level_of(scores);
  return completed(std::move(calibration), scores.originals, scores.stretches);
}

Calibration calibrate_images(const ImageScores& scores, double false_alarm_rate) {
  Calibration calibration;
  calibration.false_alarm_rate = false_alarm_rate;
  calibration.source = SourceKind::images;
  calibration.distinct = scores.distinct;
  calibration.order_factor = std::max(scores.order_factor, 1.0);
  return completed(std::move(calibration), scores.scores, scores.stretches);
}

Calibration uncalibrated(int dimensions) {
  constexpr double kDeviations = 5;  // exceeded by one sample in a million
  Calibration calibration;
  calibration.threshold = std::sqrt(static_cast<double>(dimensions)) + kDeviations / std::numbers::sqrt2;
  calibration.rule = "none";
  return calibration;
}

}  // namespace padim
