#include "inferenceschedule.h"

#include <algorithm>

namespace padim::gst {
namespace {

// Where frames are late for a reason that is not ours, skipping inference never makes them punctual: a result is
// still no older than this, nor does inference take more than a fifth of the time then.
constexpr GstClockTime kOldestResult_ns = GST_SECOND / 2;
constexpr GstClockTime kProcessingTimes = 5;

}  // namespace

bool InferenceSchedule::overdue(const FrameTimes& times, GstClockTime processing_time) const {
  const GstClockTime most = std::max(kOldestResult_ns, kProcessingTimes * processing_time);
  return time_between(scored_.running_time, times.running_time) >= most;
}

InferenceSchedule::Plan InferenceSchedule::plan(const LiveSettings& live, const FrameTimes& times, bool late,
                                                GstClockTime processing_time) const {
  if (!has_result_) return Plan::score;
  if (frames_since_ + 1 < live.inference_interval) return Plan::reuse;
  if (!late || live.late_policy == LatePolicy::block || overdue(times, processing_time)) return Plan::score;
  return live.late_policy == LatePolicy::drop ? Plan::drop : Plan::reuse;
}

void InferenceSchedule::scored(const FrameTimes& times) {
  has_result_ = true;
  frames_since_ = 0;
  scored_ = times;
}

}  // namespace padim::gst
