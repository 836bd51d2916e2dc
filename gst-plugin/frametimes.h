#pragma once

#include <gst/gst.h>

namespace padim::gst {

/// When a frame is shown, in nanoseconds; GST_CLOCK_TIME_NONE where unknown.
struct FrameTimes {
  GstClockTime pts = GST_CLOCK_TIME_NONE;
  GstClockTime stream_time = GST_CLOCK_TIME_NONE;
  GstClockTime running_time = GST_CLOCK_TIME_NONE;
  GstClockTime duration = GST_CLOCK_TIME_NONE;
};

[[nodiscard]] inline FrameTimes frame_times(const GstBuffer* buffer, const GstSegment& segment) {
  FrameTimes times;
  times.pts = GST_BUFFER_PTS(buffer);
  times.duration = GST_BUFFER_DURATION(buffer);
  if (segment.format == GST_FORMAT_TIME && GST_CLOCK_TIME_IS_VALID(times.pts)) {
    times.stream_time = gst_segment_to_stream_time(&segment, GST_FORMAT_TIME, times.pts);
    times.running_time = gst_segment_to_running_time(&segment, GST_FORMAT_TIME, times.pts);
  }
  return times;
}

}  // namespace padim::gst
