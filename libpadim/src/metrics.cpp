#include "padim/metrics.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "padim/error.h"

// The area under the ROC curve is the chance that an anomalous score lies above a normal one, ties counting half
// (Mann-Whitney's U over P * N pairs). Both classes are sorted inside one array of n floats, the only extra memory, and
// walked together: each anomalous score adds 2 * (normal scores below it) + (normal scores equal to it). That sum is
// an integer below 2 * P * N, exact in 64 bits for 10^9 scores; one division at the end rounds.
// Must equal scikit-learn's roc_auc_score to the last bits of a double.

namespace padim {
namespace {

/// Copies the anomalous scores to the front and the normal ones to the back; returns how many are anomalous.
std::size_t split_by_label(std::span<const float> scores, std::span<const std::uint8_t> labels,
                           std::vector<float>& split) {
  split.resize(scores.size());
  std::size_t front = 0;
  std::size_t back = scores.size();
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (!std::isfinite(scores[i])) {
      throw Error(ErrorCode::invalid_argument, "AUROC needs finite scores: number " + std::to_string(i) + " is not");
    }
    split[labels[i] != 0 ? front++ : --back] = scores[i];
  }
  return front;
}

/// Twice Mann-Whitney's U of two ascending sequences.
std::uint64_t twice_u(std::span<const float> anomalous, std::span<const float> normal) {
  std::uint64_t sum = 0;
  std::size_t below = 0;
  std::size_t not_above = 0;
  for (const float score : anomalous) {
    while (below < normal.size() && normal[below] < score) ++below;
    not_above = std::max(not_above, below);
    while (not_above < normal.size() && normal[not_above] <= score) ++not_above;
    sum += below + not_above;
  }
  return sum;
}

}  // namespace

double auroc(std::span<const float> scores, std::span<const std::uint8_t> labels) {
  if (scores.size() != labels.size()) {
    throw Error(ErrorCode::invalid_argument, "AUROC needs one label per score: " + std::to_string(scores.size()) +
                                                 " scores, " + std::to_string(labels.size()) + " labels");
  }
  std::vector<float> split;
  const std::size_t positives = split_by_label(scores, labels, split);
  if (positives == 0 || positives == split.size()) {
    throw Error(ErrorCode::invalid_argument,
                positives == 0 ? "AUROC needs at least one anomalous label" : "AUROC needs at least one normal label");
  }
  const std::span<float> anomalous = std::span(split).first(positives);
  const std::span<float> normal = std::span(split).subspan(positives);
  std::sort(anomalous.begin(), anomalous.end());
  std::sort(normal.begin(), normal.end());
  const double pairs = static_cast<double>(anomalous.size()) * static_cast<double>(normal.size());
  return static_cast<double>(twice_u(anomalous, normal)) / (2.0 * pairs);
}

}  // namespace padim
