#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace padim::tool {

/// Raw image scores of frames of one kind, held-out normal ones or defects, to be counted by thresholds. Immutable.
class ScoreSet {
 public:
  explicit ScoreSet(std::vector<float> scores);

  [[nodiscard]] std::span<const float> sorted() const { return scores_; }  ///< rising
  [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(scores_.size()); }
  [[nodiscard]] std::int64_t below(double threshold) const;
  [[nodiscard]] std::int64_t at_or_above(double threshold) const { return size() - below(threshold); }

  /// The least false-alarm rate that scores of normal frames measure; a threshold for a lower one is extrapolated.
  [[nodiscard]] double least_rate() const { return 1 / (static_cast<double>(size()) + 1); }

  /// The highest threshold that at most this share (0..1) of the scores lies below, never all of them. There must be
  /// one.
  [[nodiscard]] double threshold_missing(double share) const;

 private:
  std::vector<float> scores_;
};

}  // namespace padim::tool
