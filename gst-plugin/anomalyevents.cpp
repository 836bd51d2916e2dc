#include "anomalyevents.h"

#include <algorithm>

namespace padim::gst {

void AnomalyEvents::count(double score, const FrameTimes& times) {
  if (event_.frames == 0) event_.first = times;
  event_.last = times;
  event_.peak_score = std::max(event_.peak_score, score);
  ++event_.frames;
}

AnomalyEvents::Change AnomalyEvents::update(bool anomalous, double score, const FrameTimes& times,
                                            const AnomalyEventRules& rules) {
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
  if (!is_over(times.running_time, rules)) return Change::none;
  close();
  return Change::ended;
}

bool AnomalyEvents::is_over(GstClockTime running_time, const AnomalyEventRules& rules) const {
  return time_between(event_.last.running_time, running_time) >= rules.gap_ns;
}

bool AnomalyEvents::close() {
  const bool was_open = open_;
  open_ = false;
  over_ = true;
  return was_open;
}

bool AnomalyEvents::close_by(GstClockTime running_time, const AnomalyEventRules& rules) {
  return open_ && is_over(running_time, rules) && close();
}

}  // namespace padim::gst
