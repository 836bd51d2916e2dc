#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "padim/calibration.h"

namespace padim {

/// Raw scores below a Mahalanobis distance of one standard deviation are never anomalous.
inline constexpr double kSmallestThreshold = 1;

/// Scores of learned stretches, each by a model that has not seen it. A stretch shows another normal, so that each has
/// a Gumbel quantile of its own, and the threshold is never below it.
using StretchScores = std::vector<std::vector<float>>;

/// Held-out scores of a stream's frames and of their augmented copies, which may be none.
struct StreamScores {
  std::vector<float> originals;
  std::vector<float> copies;
  StretchScores stretches;
  int segments = 0;
  std::int64_t frames = 0;  ///< of the fit
};

/// T = phi(rate) * level: level is the mean score of originals or, where it is larger, that of copies; of a fit of more
/// than 100 frames the geometric mean of the two, the copies weighing 100 / frames, at least 1/2. phi
/// is the Gumbel quantile of scores with mean 1 and standard deviation 1/4. Recorded are the originals' scores and
/// those of the stretches. Throws numeric for no scores or scores that are not finite.
[[nodiscard]] Calibration calibrate_stream(const StreamScores& scores, double false_alarm_rate);

/// Leave-one-out scores of separate images.
struct ImageScores {
  std::vector<float> scores;
  double distinct = 0;      ///< how many images they are, near copies counting as one
  double order_factor = 1;  ///< how much higher images score that are left out with their neighbours in order
  StretchScores stretches;
};

/// T = max(1, order factor) times the upper quantile of the scores at the rate: the conformal one where there are
/// distinct images enough, else the Gumbel quantile, with what its parameters' uncertainty adds. With fewer than 3
/// images, their mean score as calibrate_stream() takes it. Throws as that does.
[[nodiscard]] Calibration calibrate_images(const ImageScores& scores, double false_alarm_rate);

/// A threshold without held-out scores: where embeddings of `dimensions` numbers really were Gaussian, hardly a patch
/// would ever reach it. Good as a scale to show scores on, no promise about false alarms.
[[nodiscard]] Calibration uncalibrated(int dimensions);

}  // namespace padim
