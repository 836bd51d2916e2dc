#pragma once

#include <span>
#include <string>
#include <vector>

#include "eval/evaluation.h"

namespace padim::tool {

/// One line of an ablation table.
struct Configuration {
  std::string table;  ///< "layers" or "dimensions"
  std::string name;
  EvaluationSettings settings;
};

/// The two ablation tables of the PaDiM paper (arXiv 2011.08785, section 5.1): each layer alone, the sum of their score
/// maps and all of them together; 100 and 200 dimensions chosen at random and by principal components. Everything else
/// is as `base` says; no threshold is calibrated. Reductions that the backbone has too few channels for are left out,
/// with a notice.
[[nodiscard]] std::vector<Configuration> ablation(const EvaluationSettings& base, const BackboneInfo& backbone);

}  // namespace padim::tool
