#pragma once

#include <gst/gst.h>

#include <mutex>

#include "frametimes.h"

namespace padim::gst {

/// How late frames reach the sink, as its QoS events tell. Any thread.
class Lateness {
 public:
  /// Of a QoS event: the running time of the frame that it speaks of, and how much too late that one was.
  void report(GstClockTime running_time, GstClockTimeDiff late_by) {
    const std::lock_guard lock(mutex_);
    if (!GST_CLOCK_TIME_IS_VALID(running_time)) return;
    const bool before_start = late_by < 0 && static_cast<GstClockTime>(-late_by) > running_time;
    on_time_from_ = before_start ? 0 : running_time + static_cast<GstClockTime>(late_by);
  }

  void reset() {
    const std::lock_guard lock(mutex_);
    on_time_from_ = 0;
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
  GstClockTime on_time_from_ = 0;  ///< running time
};

}  // namespace padim::gst
