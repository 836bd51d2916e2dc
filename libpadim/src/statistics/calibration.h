#pragma once

#include <span>
#include <string>
#include <vector>

#include "padim/calibration.h"

namespace padim {

/// Raw scores below a Mahalanobis distance of one standard deviation are never anomalous.
inline constexpr double kSmallestThreshold = 1;

/// The raw score T that normal frames exceed at the wanted rate, from held-out scores of normal frames: the Gumbel
/// quantile at 1 - rate, never below the conformal quantile where there are enough scores for one, never below
/// kSmallestThreshold. A learned stretch shows another normal: its scores are no part of the same distribution, so that
/// each stretch has its own Gumbel quantile, and T is the largest of them. A stretch of fewer than kScoresOfAStretch
/// scores tells too little about its spread: it takes the one of `scores` where that is wider. `segments` and all
/// scores are recorded, those of the stretches last. Throws numeric for no scores or scores that are not finite.
[[nodiscard]] Calibration calibrate(std::vector<float> scores, int segments, double false_alarm_rate,
                                    const std::vector<std::vector<float>>& stretches = {});

inline constexpr std::size_t kScoresOfAStretch = 8;

/// A threshold without held-out scores: where embeddings of `dimensions` numbers really were Gaussian, hardly a patch
/// would ever reach it. Good as a scale to show scores on, no promise about false alarms.
[[nodiscard]] Calibration uncalibrated(int dimensions);

}  // namespace padim
