// A rate a that n scores of normal frames measure has the conformal quantile, the floor((n + 1) a)-th largest score,
// which a new score reaches with probability at most a where all are exchangeable. Below a = 1 / (n + 1) there is no
// such score: scores are maxima over many patches, so their upper tail is close to a Gumbel distribution, whose
// quantile at 1
// - a, from mean m and standard deviation s by the method of moments, is
//     beta = s sqrt(6) / pi,   m - gamma beta - beta ln(-ln(1 - a))
// and never less than the largest score, so that the threshold rises as the rate falls. Checked against numpy, to the
// digits that the table prints.

#include "threshold/score_set.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

namespace padim::tool {
namespace {

constexpr double kSlack = 1e-9;           // 0.3 * 10 is less than 3
constexpr double kSmallestThreshold = 1;  // a fit's thresholds are never lower

double gumbel_quantile(std::span<const float> scores, double rate) {
  const auto n = static_cast<double>(scores.size());
  double mean = 0;
  for (const float score : scores) mean += static_cast<double>(score) / n;
  double squares = 0;
  for (const float score : scores) squares += std::pow(static_cast<double>(score) - mean, 2);
  const double beta = std::sqrt(squares / std::max(n - 1, 1.0)) * std::sqrt(6.0) / std::numbers::pi;
  return mean - std::numbers::egamma * beta - beta * std::log(-std::log1p(-rate));
}

}  // namespace

ScoreSet::ScoreSet(std::vector<float> scores) : scores_(std::move(scores)) { std::ranges::sort(scores_); }

std::int64_t ScoreSet::below(double threshold) const {
  const auto is_below = [&](float score) { return static_cast<double>(score) < threshold; };
  return std::ranges::partition_point(scores_, is_below) - scores_.begin();
}

double ScoreSet::threshold_at(double rate) const {
  const double largest = static_cast<double>(scores_.back());
  const auto rank = static_cast<std::size_t>((static_cast<double>(size()) + 1) * rate + kSlack);
  const double threshold = rank == 0 ? std::max(largest, gumbel_quantile(scores_, rate))
                                     : static_cast<double>(scores_[scores_.size() - std::min(rank, scores_.size())]);
  return std::max(threshold, kSmallestThreshold);
}

double ScoreSet::threshold_missing(double share) const {
  const auto missed = static_cast<std::size_t>(static_cast<double>(size()) * share + kSlack);
  return static_cast<double>(scores_[std::min(missed, scores_.size() - 1)]);
}

}  // namespace padim::tool
