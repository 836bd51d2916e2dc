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

}  // namespace padim::gst
