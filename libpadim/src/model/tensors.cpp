#include "model/tensors.h"

namespace padim {

const std::shared_ptr<const Segments>& KeptSegments::get() const {
  const std::lock_guard lock(mutex_);
  if (!segments_) segments_ = reader_();
  return segments_;
}

Segments::Limits statistics_limits(const ModelInfo& info, std::int64_t allowed) {
  if (info.calibration.false_alarm_rate == 0) return {1, 0};
  return segment_limits(info.positions.width * info.positions.height, info.dimensions, info.augment, allowed);
}

}  // namespace padim
