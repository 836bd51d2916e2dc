#pragma once

#include <gst/gst.h>

#include <array>
#include <cstdint>
#include <mutex>

#include "padim/detector.h"

namespace padim::gst {

/// Mean of the first values, and exponential from then on, so that some thirty of them count.
class MovingAverage {
 public:
  void add(double value);
  [[nodiscard]] double value() const { return value_; }

 private:
  static constexpr int kSpan = 32;

  int count_ = 0;  ///< up to kSpan
  double value_ = 0;
};

/// What became of the frames since the start, and what the stages of their work take on average. Any thread.
class FrameStatistics {
 public:
  struct Counts {
    std::uint64_t frames = 0;   ///< that came in
    std::uint64_t reused = 0;   ///< of them, those that carry the result of an earlier frame
    std::uint64_t dropped = 0;  ///< of them, those that were not handed on
    std::uint64_t late = 0;     ///< of them, those that came to detection too late, whatever became of them
    std::uint64_t broken = 0;   ///< of them, those whose buffer held no whole frame
  };

  void reset();

  void set(const Counts& counts);

  /// Of a scored frame.
  void add(const StageTimes& times);

  /// Of a frame that was drawn on.
  void add_overlay(double milliseconds);

  /// "padim-stats": frames, reused, dropped, late, broken (guint64); preprocess-ms, network-ms, embedding-ms,
  /// distances-ms, map-ms, regions-ms, overlay-ms (gdouble); latency (guint64, nanoseconds). The caller owns it.
  [[nodiscard]] GstStructure* to_structure(GstClockTime latency) const;

 private:
  static constexpr std::size_t kStages = 7;

  mutable std::mutex mutex_;
  Counts counts_;
  std::array<MovingAverage, kStages> milliseconds_;  ///< in the order of the structure
};

}  // namespace padim::gst
