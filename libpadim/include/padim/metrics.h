#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "padim/export.h"

namespace padim {

/// What scores at or above one threshold.
struct CurvePoint {
  double false_positive_rate = 0;  ///< share of the normal samples
  double true_positive_rate = 0;   ///< share of the anomalous samples
  double region_overlap = 0;       ///< mean over the defects of the share of each
};

/// How well scores tell anomalous samples (images, or pixels) from normal ones. What needs a class that has no sample
/// is absent.
struct RankingQuality {
  std::int64_t normal = 0;     ///< samples
  std::int64_t anomalous = 0;  ///< samples
  std::int64_t defects = 0;    ///< groups of anomalous samples that count alike in the region overlap

  std::optional<double> auroc;
  std::optional<double> average_precision;  ///< sum of (recall step) * precision, as scikit-learn's
  std::optional<double> best_f1;            ///< over all thresholds
  double best_f1_threshold = 0;             ///< the lowest score from which on samples count as anomalous for it

  /// Area under region overlap over false-positive rate up to 0.3 and 0.05, divided by that limit (MVTec AD's AU-PRO).
  std::optional<double> aupro_30;
  std::optional<double> aupro_05;

  /// From (0, 0, 0) to (1, 1, 1), thinned so that neighbours are 0.001 or a tie apart; empty where a class is missing.
  std::vector<CurvePoint> curve;
};

/// Collects scores of normal and anomalous samples and measures how well the two are told apart: exactly, equal scores
/// as scikit-learn treats them. Keeps 1 to 2.3 bytes per score, whatever the scores are, so that 200 images of
/// 1024x1024 pixels take some 250 MB. One thread at a time; parts made by several threads can be appended.
class PADIM_API Ranking {
 public:
  /// Scores of normal samples. Throws invalid_argument where one is not finite.
  void add_normal(std::span<const float> scores);

  /// Scores of one defect: all its samples are anomalous. Nothing where there are none. Throws as add_normal does.
  void add_defect(std::span<const float> scores);

  /// The pixels of one image, row-major: those where `mask` (of the same size) is not 0 are anomalous, and each
  /// 8-connected part of the mask is a defect. Throws invalid_argument where sizes differ or a score is not finite.
  void add_pixels(std::span<const float> scores, std::span<const std::uint8_t> mask, int width);

  /// Adds everything that `other` has collected.
  void append(Ranking&& other);

  [[nodiscard]] RankingQuality quality() const;

 private:
  // Sorted scores, packed; see packed_scores.h.
  struct PADIM_LOCAL Run {
    std::vector<std::uint8_t> bytes;
    double overlap = 0;  // what each score adds to the region overlap: 1 / size of its defect
  };

  PADIM_LOCAL void add_run(std::span<const float> scores, std::vector<Run>& runs, double overlap);

  std::vector<Run> normal_runs_;
  std::vector<Run> anomalous_runs_;
  std::int64_t normal_ = 0;
  std::int64_t anomalous_ = 0;
  std::int64_t defects_ = 0;
};

/// Area under the ROC curve, exact: ties count half, as scikit-learn's roc_auc_score. labels: 0 normal, else anomalous.
/// Throws invalid_argument where the sizes differ, a score is not finite, or one class is missing.
[[nodiscard]] PADIM_API double auroc(std::span<const float> scores, std::span<const std::uint8_t> labels);

}  // namespace padim
