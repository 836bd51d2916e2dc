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

#include "padim/error.h"

namespace padim {
namespace {

constexpr double kSpread = 0.25;       // of a stream's scores, as a share of their mean
constexpr std::size_t kOwnSpread = 8;  // scores of a stretch from which its own spread is believed
constexpr double kConformalTail = 3;   // scores wanted beyond a conformal quantile
constexpr double kFewImages = 2.5;     // leave-one-out scores of 2 images that keep their pooled covariance

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
  const auto nth = sorted.begin() + static_cast<std::ptrdiff_t>(rank - 1);
  std::nth_element(sorted.begin(), nth, sorted.end());
  return static_cast<double>(*nth);
}

void check(std::span<const float> scores) {
  if (std::ranges::all_of(scores, [](float score) { return std::isfinite(score); })) return;
  throw Error(ErrorCode::numeric, "the threshold cannot be calibrated: held-out scores are not finite");
}

double level_times_factor(double level, double rate) { return gumbel_quantile({level, kSpread * level}, rate); }

// What both regimes have in common.
Calibration with_stretches(Calibration calibration, double threshold, const StretchScores& stretches) {
  const auto raise = [&](double candidate, const char* rule) {
    if (calibration.threshold >= candidate) return;
    calibration.threshold = candidate;
    calibration.rule = rule;
  };
  const Moments common = moments(calibration.scores);
  for (const auto& stretch : stretches) {
    calibration.scores.insert(calibration.scores.end(), stretch.begin(), stretch.end());
  }
  if (calibration.scores.empty()) {
    throw Error(ErrorCode::numeric, "the threshold cannot be calibrated: there are no held-out scores");
  }
  check(calibration.scores);
  raise(threshold, calibration.source == SourceKind::stream ? "stream" : "images");
  for (const auto& stretch : stretches) {
    if (stretch.empty()) continue;
    Moments own = moments(stretch);
    if (stretch.size() < kOwnSpread) own.deviation = std::max(own.deviation, common.deviation);
    raise(gumbel_quantile(own, calibration.false_alarm_rate), "stretch");
  }
  raise(kSmallestThreshold, "floor");
  return calibration;
}

}  // namespace

Calibration calibrate_stream(const StreamScores& scores, double false_alarm_rate) {
  Calibration calibration{0, false_alarm_rate, SourceKind::stream, scores.segments, 0, "stream", scores.originals};
  check(scores.copies);
  const double level = std::max(moments(scores.originals).mean, moments(scores.copies).mean);
  return with_stretches(std::move(calibration), level_times_factor(level, false_alarm_rate), scores.stretches);
}

Calibration calibrate_images(const ImageScores& scores, double false_alarm_rate) {
  Calibration calibration{0, false_alarm_rate, SourceKind::images, 0, scores.distinct, "images", scores.scores};
  const Moments own = moments(scores.scores);
  double threshold = 0;
  if (scores.scores.size() < 3) {
    threshold = level_times_factor(kFewImages * own.mean, false_alarm_rate);
  } else if (scores.distinct >= kConformalTail / false_alarm_rate - 1) {
    threshold = conformal_quantile(scores.scores, false_alarm_rate);
  } else {
    threshold = predictive_quantile(own, scores.distinct, false_alarm_rate);
  }
  threshold *= std::max(scores.order_factor, 1.0);
  return with_stretches(std::move(calibration), threshold, scores.stretches);
}

Calibration uncalibrated(int dimensions) {
  constexpr double kDeviations = 5;  // exceeded by one sample in a million
  Calibration calibration;
  calibration.threshold = std::sqrt(static_cast<double>(dimensions)) + kDeviations / std::numbers::sqrt2;
  calibration.rule = "none";
  return calibration;
}

}  // namespace padim
