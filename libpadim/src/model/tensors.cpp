#include "model/tensors.h"

namespace padim {

Segments::Limits statistics_limits(const ModelInfo& info, std::int64_t allowed) {
  if (info.calibration.false_alarm_rate == 0) return {1, 0};
  return segment_limits(info.positions.width * info.positions.height, info.dimensions, info.augment, allowed);
}

}  // namespace padim
