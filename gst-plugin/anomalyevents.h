#pragma once

#include <cstdint>

#include "gst-common/frametimes.h"

namespace padim::gst {

/// A stretch of anomalous frames.
struct AnomalyEvent {
  FrameTimes first;  ///< its first anomalous frame
  FrameTimes last;   ///< its last anomalous frame so far
  double peak_score = 0;
  std::uint64_t frames = 0;  ///< anomalous ones
};

struct AnomalyEventRules {
  unsigned min_frames = 1;   ///< consecutive anomalous frames that begin an event
  std::uint64_t gap_ns = 0;  ///< normal running time that ends it
};

/// Turns frames into events. Frames have a running time, which does not go back: see Timeline.
class AnomalyEvents {
 public:
  enum class Change { none, begun, ended };

  /// What this frame changed; event() is then the event that begun or ended.
  Change update(bool anomalous, double score, const FrameTimes& times, const AnomalyEventRules& rules);

  /// Ends the event that is open; false where none is. Forgets the frames seen so far in any case.
  bool close();

  /// The same where a pause before the frame at `running_time` has ended it; frames seen so far count on otherwise.
  bool close_by(GstClockTime running_time, const AnomalyEventRules& rules);

  [[nodiscard]] const AnomalyEvent& event() const { return event_; }

 private:
  void count(double score, const FrameTimes& times);
  [[nodiscard]] bool is_over(GstClockTime running_time, const AnomalyEventRules& rules) const;

  AnomalyEvent event_;
  bool open_ = false;
  bool over_ = false;  ///< event_ is kept for event() only
};

}  // namespace padim::gst
