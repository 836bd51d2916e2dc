#pragma once

#include <gst/gst.h>

#include "gst-common/frametimes.h"

namespace padim::gst {

/// How a frame's running time follows that of the frame before.
struct TimeStep {
  enum class Kind {
    onward,  ///< as it should
    pause,   ///< nothing came for far longer than a frame lasts, or the time leapt forward
    back,    ///< before the frame before: a clock that was set anew, a counter that wrapped. No time from before means
             ///< anything any more
  };
  Kind kind = Kind::onward;
  GstClockTimeDiff beyond = 0;  ///< of pause and back: from where the frame was to come to where it came
};

/// The running times of a stream whose frames may lack timestamps and durations, and whose clock may jump. Times that
/// jitter, or differ a little from those that were counted, do not go back. One thread at a time.
class Timeline {
 public:
  /// As caps have it: 0/1 where there is no fixed rate.
  void set_frame_rate(gint numerator, gint denominator);

  /// Places the next frame. A running time that is unknown is counted on from the frame before, by its duration, by
  /// the frame rate, or else by `now`, a clock that only goes on; without any of them it stays unknown.
  TimeStep place(FrameTimes& times, GstClockTime now);

  /// What comes next follows nothing.
  void reset();

 private:
  [[nodiscard]] GstClockTime usual_step() const;
  [[nodiscard]] GstClockTime counted(GstClockTime now) const;
  [[nodiscard]] TimeStep step_to(GstClockTime running_time) const;

  GstClockTime frame_time_ = GST_CLOCK_TIME_NONE;  ///< by the frame rate

  // Of the frame before.
  GstClockTime latest_ = GST_CLOCK_TIME_NONE;    ///< running time; where that jitters, the largest so far
  GstClockTime duration_ = GST_CLOCK_TIME_NONE;  ///< as the buffer had it
  GstClockTime step_ = GST_CLOCK_TIME_NONE;      ///< from the one before it
  GstClockTime came_at_ = GST_CLOCK_TIME_NONE;   ///< by `now`
  bool was_counted_ = false;
};

}  // namespace padim::gst
