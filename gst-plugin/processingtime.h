#pragma once

#include <gst/gst.h>

#include <array>
#include <mutex>

namespace padim::gst {

/// How long the element holds a frame back: what it adds to the pipeline's latency. Any thread.
class ProcessingTime {
 public:
  /// Forgets all and starts from an estimate.
  void reset(GstClockTime estimate = 0);

  /// Takes a frame's time in. True where the latency to report has changed by more than a tenth (and a millisecond:
  /// each change makes the pipeline distribute its latency anew).
  [[nodiscard]] bool add(GstClockTime time);

  /// To be added to the latency of the elements before.
  [[nodiscard]] GstClockTime latency() const;

 private:
  static constexpr std::size_t kBlock = 16;

  mutable std::mutex mutex_;
  std::array<GstClockTime, kBlock> block_{};  ///< the latest times
  std::size_t count_ = 0;                     ///< of block_
  bool measured_ = false;                     ///< smoothed_ is more than an estimate
  GstClockTime smoothed_ = 0;
  GstClockTime reported_ = 0;
};

}  // namespace padim::gst
