#include "padim/score_map.h"

#include <limits>

namespace padim {

double shown_score(double raw, double calibrated) { return raw / (raw + calibrated); }

double raw_score(double shown, double calibrated) {
  return shown < 1 ? calibrated * shown / (1 - shown) : std::numeric_limits<double>::infinity();
}

}  // namespace padim
