#include "anomalyevents.h"

#include <algorithm>

namespace padim::gst {

void AnomalyEvents::count(double score, const FrameTimes& times) {
  if (event_.frames == 0) event_.first = times;
  event_.last = times;
  event_.peak_score = std::max(event_.peak_score, score);
  ++event_.frames;
}

AnomalyEvents::Change AnomalyEvents::update(bool anomalous, double score, FrameTimes times,
                                            const AnomalyEventRules& rules) {
  if (!GST_CLOCK_TIME_IS_VALID(times.running_time)) times.running_time = expected_running_time_;
  expected_running_time_ = times.running_time + (GST_CLOCK_TIME_IS_VALID(times.duration) ? times.duration : 0);

  if (over_) event_ = {};
  over_ = false;
  if (anomalous) {
    count(score, times);
    if (open_ || event_.frames < rules.min_frames) return Change::none;
    open_ = true;
    return Change::begun;
  }
  if (!open_) {
    event_ = {};
    return Change::none;
  }
  if (times.running_time < event_.last.running_time + rules.gap_ns) return Change::none;
  open_ = false;
  over_ = true;
  return Change::ended;
}

bool AnomalyEvents::close() {
  const bool was_open = open_;
  open_ = false;
  over_ = true;
  expected_running_time_ = 0;
  return was_open;
}

}  // namespace padim::gst
