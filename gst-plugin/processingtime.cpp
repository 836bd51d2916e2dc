// What counts is not the mean, as every frame that takes longer would be late, nor the maximum, as one stall of the
// machine would delay the video for good. So: of each 16 frames the second slowest, smoothed over a few such blocks.

#include "processingtime.h"

#include <algorithm>
#include <functional>

namespace padim::gst {
namespace {

constexpr GstClockTime kNoise_ns = GST_MSECOND;

bool differ(GstClockTime a, GstClockTime b) {
  const GstClockTime difference = a > b ? a - b : b - a;
  return difference > std::max(kNoise_ns, b / 10);
}

}  // namespace

void ProcessingTime::reset(GstClockTime estimate) {
  const std::lock_guard lock(mutex_);
  count_ = 0;
  measured_ = false;
  smoothed_ = reported_ = estimate;
}

bool ProcessingTime::add(GstClockTime time) {
  const std::lock_guard lock(mutex_);
  block_[count_++] = time;
  if (count_ < kBlock) return false;
  count_ = 0;
  const auto second = block_.begin() + 1;
  std::nth_element(block_.begin(), second, block_.end(), std::greater<>());
  smoothed_ = measured_ ? (3 * smoothed_ + *second) / 4 : *second;
  measured_ = true;
  if (!differ(smoothed_, reported_)) return false;
  reported_ = smoothed_;
  return true;
}

GstClockTime ProcessingTime::latency() const {
  const std::lock_guard lock(mutex_);
  return reported_;
}

}  // namespace padim::gst
