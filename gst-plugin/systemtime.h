#pragma once

#include <gst/gst.h>

namespace padim::gst {

/// What work takes is measured with it: the time of GStreamer's default clock, which is monotonic and which a test can
/// replace. Any thread.
inline GstClockTime system_time() {
  GstClock* clock = gst_system_clock_obtain();
  const GstClockTime now = gst_clock_get_time(clock);
  gst_object_unref(clock);
  return now;
}

/// The time from `begin` until now; 0 where the clock has none or went back.
inline GstClockTime time_since(GstClockTime begin) {
  const GstClockTime now = system_time();
  return GST_CLOCK_TIME_IS_VALID(now) && GST_CLOCK_TIME_IS_VALID(begin) && now > begin ? now - begin : 0;
}

}  // namespace padim::gst
