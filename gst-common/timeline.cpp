#include "gst-common/timeline.h"

#include <algorithm>

namespace padim::gst {
namespace {

// Capture times differ by some milliseconds from frame to frame; half a frame of a fast camera is no jump.
constexpr GstClockTime kJitter_ns = 20 * GST_MSECOND;
// A count may run ahead of a timestamp that comes again later.
constexpr GstClockTime kCountedAhead_ns = GST_SECOND;
// Longer than a camera needs to connect again, and than a key frame is waited for.
constexpr GstClockTime kPause_ns = 10 * GST_SECOND;

bool is_length(GstClockTime time) { return GST_CLOCK_TIME_IS_VALID(time) && time > 0; }

// Within bounds that sums of a few do not overflow, whatever the timestamps are.
GstClockTimeDiff difference(GstClockTime from, GstClockTime to) {
  constexpr auto kMost = static_cast<GstClockTime>(G_MAXINT64) / 4;
  return to >= from ? static_cast<GstClockTimeDiff>(std::min(to - from, kMost))
                    : -static_cast<GstClockTimeDiff>(std::min(from - to, kMost));
}

}  // namespace

void Timeline::set_frame_rate(gint numerator, gint denominator) {
  frame_time_ = numerator > 0 && denominator > 0 ? gst_util_uint64_scale_int_round(GST_SECOND, denominator, numerator)
                                                 : GST_CLOCK_TIME_NONE;
}

GstClockTime Timeline::usual_step() const {
  if (is_length(duration_)) return duration_;
  return is_length(frame_time_) ? frame_time_ : step_;
}

GstClockTime Timeline::counted(GstClockTime now) const {
  const bool by_length = is_length(duration_) || is_length(frame_time_);
  if (!by_length && !GST_CLOCK_TIME_IS_VALID(now)) return GST_CLOCK_TIME_NONE;
  if (!GST_CLOCK_TIME_IS_VALID(latest_)) return by_length ? 0 : now;
  return latest_ + (by_length ? usual_step() : time_between(came_at_, now));
}

TimeStep Timeline::step_to(GstClockTime running_time) const {
  if (!GST_CLOCK_TIME_IS_VALID(latest_)) return {};
  const GstClockTime usual = usual_step();
  const GstClockTimeDiff beyond = difference(latest_ + (is_length(usual) ? usual : 0), running_time);
  const GstClockTime tolerated = was_counted_ ? kCountedAhead_ns : kJitter_ns;
  if (time_between(running_time, latest_) > tolerated) return {TimeStep::Kind::back, beyond};
  const bool paused = is_length(usual) && beyond > static_cast<GstClockTimeDiff>(kPause_ns);
  return paused ? TimeStep{TimeStep::Kind::pause, beyond} : TimeStep{};
}

TimeStep Timeline::place(FrameTimes& times, GstClockTime now) {
  const bool known = GST_CLOCK_TIME_IS_VALID(times.running_time);
  if (!known) times.running_time = counted(now);
  if (!GST_CLOCK_TIME_IS_VALID(times.running_time)) return {};
  const TimeStep step = step_to(times.running_time);
  if (step.kind == TimeStep::Kind::onward && GST_CLOCK_TIME_IS_VALID(latest_)) {
    step_ = time_between(latest_, times.running_time);
  }
  const bool jitters = known && !was_counted_ && step.kind != TimeStep::Kind::back;
  latest_ = jitters && GST_CLOCK_TIME_IS_VALID(latest_) ? std::max(latest_, times.running_time) : times.running_time;
  duration_ = times.duration;
  came_at_ = now;
  was_counted_ = !known;
  return step;
}

void Timeline::reset() {
  const GstClockTime frame_time = frame_time_;
  *this = {};
  frame_time_ = frame_time;
}

}  // namespace padim::gst
