#include "framestatistics.h"

#include <algorithm>
#include <cstddef>

namespace padim::gst {
namespace {

constexpr const char* kStageFields[] = {"preprocess-ms", "network-ms", "embedding-ms", "distances-ms",
                                        "map-ms",        "regions-ms", "overlay-ms"};

}  // namespace

void MovingAverage::add(double value) {
  count_ = std::min(count_ + 1, kSpan);
  value_ += (value - value_) / count_;
}

void FrameStatistics::reset() {
  const std::lock_guard lock(mutex_);
  counts_ = {};
  milliseconds_ = {};
}

void FrameStatistics::set(const Counts& counts) {
  const std::lock_guard lock(mutex_);
  counts_ = counts;
}

void FrameStatistics::add(const StageTimes& times) {
  const double values[] = {times.preprocess, times.network, times.embedding, times.distances, times.map, times.regions};
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < std::size(values); ++i) milliseconds_[i].add(values[i]);
}

void FrameStatistics::add_overlay(double milliseconds) {
  const std::lock_guard lock(mutex_);
  milliseconds_.back().add(milliseconds);
}

GstStructure* FrameStatistics::to_structure(GstClockTime latency) const {
  const std::lock_guard lock(mutex_);
  GstStructure* structure = gst_structure_new(
      "padim-stats", "frames", G_TYPE_UINT64, static_cast<guint64>(counts_.frames), "reused", G_TYPE_UINT64,
      static_cast<guint64>(counts_.reused), "dropped", G_TYPE_UINT64, static_cast<guint64>(counts_.dropped), "late",
      G_TYPE_UINT64, static_cast<guint64>(counts_.late), "broken", G_TYPE_UINT64, static_cast<guint64>(counts_.broken),
      "latency", G_TYPE_UINT64, latency, nullptr);
  for (std::size_t i = 0; i < kStages; ++i) {
    gst_structure_set(structure, kStageFields[i], G_TYPE_DOUBLE, milliseconds_[i].value(), nullptr);
  }
  return structure;
}

}  // namespace padim::gst
