#pragma once

#include <gst/gst.h>

#include <algorithm>
#include <mutex>

#include "gst-common/frametimes.h"
#include "gst-common/timeline.h"

namespace padim::gst {

/// How late frames reach the sink, as its QoS events tell. Where times jumped back, a sink that waits for them calls
/// every frame late by the jump until the old times are reached again: that is taken off. Any thread.
class Lateness {
 public:
  /// The next frame, and how it follows the one before.
  void follow(const FrameTimes& times, const TimeStep& step) {
    const std::lock_guard lock(mutex_);
    latest_ = times.running_time;
    if (step.kind == TimeStep::Kind::onward) return;
    jumped_ = std::clamp<GstClockTimeDiff>(jumped_ - step.beyond, 0, G_MAXINT64 / 2);
    if (step.kind == TimeStep::Kind::pause) return;
    on_time_from_ = 0;
    jumped_back_ = true;
  }

  /// Of a QoS event: the running time of the frame that it speaks of, and how much too late that one was. Returns how
  /// much of that is not due to a jump.
  GstClockTimeDiff report(GstClockTime running_time, GstClockTimeDiff late_by) {
    const std::lock_guard lock(mutex_);
    if (!GST_CLOCK_TIME_IS_VALID(running_time)) return late_by;
    if (jumped_back_ && running_time > latest_) return late_by;  // a frame from before the jump
    jumped_back_ = false;
    jumped_ = std::min(jumped_, std::max<GstClockTimeDiff>(late_by, 0));
    late_by -= jumped_;
    const bool before_start = late_by < 0 && static_cast<GstClockTime>(-late_by) > running_time;
    on_time_from_ = before_start ? 0 : running_time + static_cast<GstClockTime>(late_by);
    return late_by;
  }

  void reset() {
    const std::lock_guard lock(mutex_);
    on_time_from_ = 0;
    jumped_ = 0;
    jumped_back_ = false;
  }

  /// Running time from which on frames are in time, as far as is known.
  [[nodiscard]] GstClockTime on_time_from() const {
    const std::lock_guard lock(mutex_);
    return on_time_from_;
  }

  /// The frame would reach the sink too late even if it took no time here. False where its running time is unknown.
  [[nodiscard]] bool is_late(const FrameTimes& times) const {
    return GST_CLOCK_TIME_IS_VALID(times.running_time) && times.running_time < on_time_from();
  }

 private:
  mutable std::mutex mutex_;
  GstClockTime on_time_from_ = 0;              ///< running time
  GstClockTime latest_ = GST_CLOCK_TIME_NONE;  ///< running time of the latest frame
  GstClockTimeDiff jumped_ = 0;                ///< by how much every frame is late for its timestamp alone
  bool jumped_back_ = false;                   ///< and no frame since has been reported
};

}  // namespace padim::gst
