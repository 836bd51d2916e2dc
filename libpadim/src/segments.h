#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gaussian.h"

namespace padim {

/// The stream of embeddings, kept as a few contiguous segments, each with its own statistics and an evenly thinned
/// store of its embeddings: what block cross-calibration needs, in memory that does not depend on the stream's length.
/// Whenever the last place is taken, neighbours are merged by pairs and the length of a segment doubles: 8 places hold
/// 4 to 8 segments from the eighth frame on, whether or not the length was known before. One thread at a time.
class Segments {
 public:
  struct Limits {
    int count;   ///< most segments kept at a time, >= 2
    int stored;  ///< embeddings kept in all, shared evenly by `count` segments
  };

  Segments(int positions, int dimensions, Limits limits);

  /// Appends one embedding [P, d].
  void append(std::span<const float> embedding, WorkerPool& pool);

  /// Completes pending updates and joins a last segment shorter than half of its neighbour with it.
  void settle(WorkerPool& pool);

  [[nodiscard]] int size() const { return static_cast<int>(segments_.size()); }
  [[nodiscard]] std::int64_t frames() const { return frames_; }

  /// Statistics over all segments but `left_out` (-1: over all), written to `result`. Call settle() first.
  void merge_all_but(int left_out, Gaussian& result, WorkerPool& pool) const;

  /// Stored embeddings of one segment, [n, P, d], in stream order.
  [[nodiscard]] std::span<const float> stored(int segment) const;

 private:
  struct Segment {
    Gaussian statistics;
    std::int64_t frames = 0;  // appended, pending ones included
    std::int64_t stride = 1;  // one embedding in `stride` frames is stored
    std::vector<float> store;
    int kept = 0;
  };

  void open_segment(WorkerPool& pool);
  void flush(WorkerPool& pool);
  void store(Segment& segment, std::span<const float> embedding);
  void thin(Segment& segment) const;
  void join(std::size_t left, WorkerPool& pool);
  void merge_pairs(WorkerPool& pool);

  int positions_;
  int dimensions_;
  Limits limits_;
  std::size_t share_;  // embeddings stored per segment
  std::int64_t frames_ = 0;
  std::int64_t capacity_ = 1;  // frames per segment
  std::vector<Segment> segments_;
  std::vector<Segment> spare_;  // emptied by merging, reused
  std::vector<float> pending_;  // embeddings that wait for a batched update of the last segment
  int pending_count_ = 0;
};

}  // namespace padim
