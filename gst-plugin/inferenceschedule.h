#pragma once

#include <cstdint>

#include "gst-common/frametimes.h"
#include "padimsettings.h"

namespace padim::gst {

/// Decides which frames the network sees. Streaming thread only.
class InferenceSchedule {
 public:
  enum class Plan {
    score,  ///< the network sees the frame
    reuse,  ///< the last result stands for it
    drop,   ///< it is not handed on
  };

  /// late: the frame would miss its time anyway. processing_time: of a frame that the network sees.
  [[nodiscard]] Plan plan(const LiveSettings& live, const FrameTimes& times, bool late,
                          GstClockTime processing_time) const;

  /// The frame was scored, or not.
  void scored(const FrameTimes& times);
  void skipped() { ++frames_since_; }

  /// Forgets the last result: the next frame is scored.
  void reset() { *this = {}; }

 private:
  [[nodiscard]] bool overdue(const FrameTimes& times, GstClockTime processing_time) const;

  bool has_result_ = false;
  std::uint64_t frames_since_ = 0;  ///< frames after the one that was scored
  FrameTimes scored_;
};

}  // namespace padim::gst
