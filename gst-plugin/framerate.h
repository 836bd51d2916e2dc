#pragma once

#include <glib.h>

namespace padim::gst {

/// Frames per second, counted over stretches of a second.
class FrameRate {
 public:
  /// A frame at `now_us` (monotonic). The rate of the latest whole stretch; 0 before the first one is complete.
  double add(gint64 now_us) {
    constexpr gint64 kStretch_us = G_USEC_PER_SEC;
    if (frames_++ == 0) begin_us_ = now_us;
    if (now_us - begin_us_ >= kStretch_us) {
      rate_ = static_cast<double>(frames_ - 1) * G_USEC_PER_SEC / static_cast<double>(now_us - begin_us_);
      begin_us_ = now_us;
      frames_ = 1;
    }
    return rate_;
  }

 private:
  gint64 begin_us_ = 0;
  gint64 frames_ = 0;
  double rate_ = 0;
};

}  // namespace padim::gst
