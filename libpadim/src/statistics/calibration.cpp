// Image scores are maxima over many patches, so their upper tail is close to a Gumbel distribution: with mean m and
// standard deviation s, beta = s sqrt(6) / pi, mu = m - gamma beta, and the quantile at 1 - a is mu - beta ln(-ln(1 -
// a)) (method of moments). The conformal quantile, the ceil((n + 1)(1 - a))-th smallest score, holds without any
// assumption but exists only for n >= 1 / a - 1. Checked against scipy.stats.gumbel_r.
// Without scores, the distance of a d-dimensional Gaussian's own samples serves: it follows the chi distribution, whose
// mean is just below sqrt(d) and whose standard deviation is just below 1 / sqrt(2).

#include "statistics/calibration.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "padim/error.h"

namespace padim {
namespace {

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

double gumbel_quantile(const Moments& moments, double rate) {
  const double beta = moments.deviation * std::sqrt(6.0) / std::numbers::pi;
  return moments.mean - std::numbers::egamma * beta - beta * std::log(-std::log1p(-rate));
}

// 0 where there are too few scores.
double conformal_quantile(std::span<const float> scores, double rate) {
  const auto rank = static_cast<std::size_t>(std::ceil((static_cast<double>(scores.size()) + 1) * (1 - rate) - 1e-9));
  if (rank < 1 || rank > scores.size()) return 0;
  std::vector<float> sorted(scores.begin(), scores.end());
  const auto nth = sorted.begin() + static_cast<std::ptrdiff_t>(rank - 1);
  std::nth_element(sorted.begin(), nth, sorted.end());
  return static_cast<double>(*nth);
}

}  // namespace

Calibration calibrate(std::vector<float> scores, int segments, double false_alarm_rate,
                      const std::vector<std::vector<float>>& stretches) {
  Calibration calibration{0, false_alarm_rate, segments, "gumbel", scores};
  for (const auto& stretch : stretches) {
    calibration.scores.insert(calibration.scores.end(), stretch.begin(), stretch.end());
  }
  const auto finite = [](float score) { return std::isfinite(score); };
  if (calibration.scores.empty() || !std::all_of(calibration.scores.begin(), calibration.scores.end(), finite)) {
    throw Error(ErrorCode::numeric, "the threshold cannot be calibrated: held-out scores are missing or not finite");
  }
  const auto raise = [&](double threshold, const char* rule) {
    if (calibration.threshold >= threshold) return;
    calibration.threshold = threshold;
    calibration.rule = rule;
  };
  const Moments common = moments(scores);
  if (!scores.empty()) raise(gumbel_quantile(common, false_alarm_rate), "gumbel");
  for (const auto& stretch : stretches) {
    if (stretch.empty()) continue;
    Moments own = moments(stretch);
    if (stretch.size() < kScoresOfAStretch) own.deviation = std::max(own.deviation, common.deviation);
    raise(gumbel_quantile(own, false_alarm_rate), "stretch");
  }
  raise(conformal_quantile(calibration.scores, false_alarm_rate), "conformal");
  raise(kSmallestThreshold, "floor");
  return calibration;
}

Calibration uncalibrated(int dimensions) {
  constexpr double kDeviations = 5;  // exceeded by one sample in a million
  Calibration calibration;
  calibration.threshold = std::sqrt(static_cast<double>(dimensions)) + kDeviations / std::numbers::sqrt2;
  calibration.rule = "none";
  return calibration;
}

}  // namespace padim
