#include "threshold/score_set.h"

#include <algorithm>
#include <utility>

namespace padim::tool {
namespace {

constexpr double kSlack = 1e-9;  // 0.3 * 10 is less than 3
}  // namespace

ScoreSet::ScoreSet(std::vector<float> scores) : scores_(std::move(scores)) { std::ranges::sort(scores_); }

std::int64_t ScoreSet::below(double threshold) const {
  const auto is_below = [&](float score) { return static_cast<double>(score) < threshold; };
  return std::ranges::partition_point(scores_, is_below) - scores_.begin();
}

double ScoreSet::threshold_missing(double share) const {
  const auto missed = static_cast<std::size_t>(static_cast<double>(size()) * share + kSlack);
  return static_cast<double>(scores_[std::min(missed, scores_.size() - 1)]);
}

}  // namespace padim::tool
