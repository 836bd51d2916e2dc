#pragma once

#include <gst/gst.h>

namespace padim::gst {

/// Frames per second, counted over stretches of a second.
class FrameRate {
 public:
  /// A frame at `now` (system_time). The rate of the latest whole stretch; 0 before the first one is complete.
  double add(GstClockTime now) {
    constexpr GstClockTime kStretch_ns = GST_SECOND;
    if (frames_++ == 0) begin_ = now;
    if (now >= begin_ + kStretch_ns) {
      rate_ = static_cast<double>(frames_ - 1) * GST_SECOND / static_cast<double>(now - begin_);
      begin_ = now;
      frames_ = 1;
    }
    return rate_;
  }

 private:
  GstClockTime begin_ = 0;
  guint64 frames_ = 0;
  double rate_ = 0;
};

}  // namespace padim::gst
