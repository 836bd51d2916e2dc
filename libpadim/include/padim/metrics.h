#pragma once

#include <cstdint>
#include <span>

namespace padim {

/// Area under the ROC curve, exact: ties count half, as scikit-learn's roc_auc_score. labels: 0 normal, else anomalous.
/// Throws invalid_argument where the sizes differ, a score is not finite, or one class is missing.
[[nodiscard]] double auroc(std::span<const float> scores, std::span<const std::uint8_t> labels);

}  // namespace padim
