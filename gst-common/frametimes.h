#pragma once

#include <gst/gst.h>

namespace padim::gst {

/// Which frame of a stream, and when it is shown. Times are in nanoseconds, GST_CLOCK_TIME_NONE where unknown.
struct FrameTimes {
  GstClockTime pts = GST_CLOCK_TIME_NONE;
  GstClockTime stream_time = GST_CLOCK_TIME_NONE;
  GstClockTime running_time = GST_CLOCK_TIME_NONE;
  GstClockTime duration = GST_CLOCK_TIME_NONE;
  guint64 offset = GST_BUFFER_OFFSET_NONE;  ///< the buffer's own number
  guint64 frame = 0;                        ///< frames that came before it
  gint64 wall_clock_us = 0;                 ///< when it came, in microseconds since 1970, UTC; 0 where unknown
};

[[nodiscard]] inline FrameTimes frame_times(const GstBuffer* buffer, const GstSegment& segment) {
  FrameTimes times;
  times.pts = GST_BUFFER_PTS(buffer);
  times.duration = GST_BUFFER_DURATION(buffer);
  times.offset = GST_BUFFER_OFFSET(buffer);
  if (segment.format == GST_FORMAT_TIME && GST_CLOCK_TIME_IS_VALID(times.pts)) {
    times.stream_time = gst_segment_to_stream_time(&segment, GST_FORMAT_TIME, times.pts);
    times.running_time = gst_segment_to_running_time(&segment, GST_FORMAT_TIME, times.pts);
  }
  return times;
}

/// The time from `begin` to `end`; 0 where end is not after it, or one of them is unknown.
[[nodiscard]] inline GstClockTime time_between(GstClockTime begin, GstClockTime end) {
  return GST_CLOCK_TIME_IS_VALID(begin) && GST_CLOCK_TIME_IS_VALID(end) && end > begin ? end - begin : 0;
}

}  // namespace padim::gst
