#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "statistics/gaussian.h"

namespace padim {

/// What one segment of the stream has seen; the memory belongs to somebody else.
struct SegmentView {
  GaussianView statistics;
  std::span<const float> stored;  ///< embeddings [n, P, d], evenly thinned, in stream order
  std::int64_t frames = 0;        ///< real frames, without augmented copies
  std::int64_t stride = 1;        ///< one embedding in `stride` frames is stored
  bool stretch = false;           ///< between begin_stretch() and its end: never joined because it is short
  double weight = 1;              ///< what each frame of the statistics counts, after what was forgotten
};

/// The stream of embeddings, kept as a few contiguous segments, each with its own statistics and an evenly thinned
/// store of its embeddings: what block cross-calibration needs, in memory that does not depend on the stream's length.
/// Whenever the last place is taken, neighbours are merged by pairs and the length of a segment doubles: 8 places hold
/// 4 to 8 segments from the eighth frame on, whether or not the length was known before. Copies share their memory; it
/// is copied before it changes. One thread at a time, but copies are independent of each other.
class Segments {
 public:
  struct Limits {
    int count;   ///< most segments kept at a time, >= 1
    int stored;  ///< embeddings kept in all, shared evenly by `count` segments; 0: none
  };

  /// No stream is as long, but each short segment that joins a long one may double the stride. Views may have no larger
  /// one: it could not be brought together with others.
  static constexpr std::int64_t kLargestStride = std::int64_t{1} << 40;

  /// An embedding of a frame as it came, or of an augmented copy, which widens the statistics but is neither counted
  /// nor stored.
  enum class Kind { real, augmented };

  Segments(int positions, int dimensions, Limits limits);

  /// Segments that were kept elsewhere; `owner` keeps the views' memory alive. capacity: frames per segment at that
  /// time, >= 1. Where there are more of them than the limits allow, neighbours are merged.
  Segments(int positions, int dimensions, Limits limits, const std::vector<SegmentView>& views, std::int64_t capacity,
           const std::shared_ptr<const void>& owner, WorkerPool& pool);

  /// From now on these are the limits. Where there is more than they allow, neighbours are merged and stores thinned.
  void set_limits(Limits limits, WorkerPool& pool);

  /// Appends one embedding [P, d].
  void append(std::span<const float> embedding, Kind kind, WorkerPool& pool);

  /// What follows belongs to another segment than what came before; without effect where there is only one place.
  void close_segment() {
    closed_ = limits_.count > 1;
    next_is_stretch_ = false;
  }

  /// What follows, up to the next close_segment(), is a segment of its own, however short it stays.
  void begin_stretch() { closed_ = next_is_stretch_ = limits_.count > 1; }

  /// Every frame so far counts as `factor` frames, 0..1, from now on: exponential forgetting. From then on segments no
  /// longer double: when the places are taken, the two oldest are merged.
  void forget(double factor);

  /// The segments of `other` (same shape) follow these.
  void absorb(const Segments& other, WorkerPool& pool);

  /// Completes pending updates.
  void flush(WorkerPool& pool);

  /// A copy for calibration: pending updates are completed, and a last segment shorter than half of its neighbour is
  /// joined with it.
  [[nodiscard]] Segments settled(WorkerPool& pool) const;

  [[nodiscard]] int size() const { return static_cast<int>(segments_.size()); }
  [[nodiscard]] int positions() const { return positions_; }
  [[nodiscard]] int dimensions() const { return dimensions_; }
  [[nodiscard]] std::int64_t frames() const;  ///< real ones, not discounted
  [[nodiscard]] std::int64_t capacity() const { return capacity_; }

  /// Of a flushed object.
  [[nodiscard]] SegmentView view(int segment) const;

  /// Statistics over all segments but `left_out` (-1: over all), written to `result`. Call flush() first.
  void merge_all_but(int left_out, Gaussian& result, WorkerPool& pool) const;

 private:
  struct Storage {
    Gaussian statistics;
    std::vector<float> stored;  ///< [share, P, d]
  };

  struct Segment {
    std::shared_ptr<Storage> storage;  ///< shared with copies; null where mapped
    SegmentView mapped;
    std::shared_ptr<const void> owner;  ///< of mapped
    std::int64_t frames = 0;
    std::int64_t stride = 1;
    int kept = 0;
    bool stretch = false;
    double weight = 1;
  };

  [[nodiscard]] std::size_t embedding_size() const;
  [[nodiscard]] SegmentView view(const Segment& segment) const;
  Storage& writable(Segment& segment) const;
  void open_segment(WorkerPool& pool);
  void make_room(WorkerPool& pool);
  void store(Segment& segment, std::span<const float> embedding) const;
  void thin(Segment& segment) const;
  void fit_share(Segment& segment) const;
  void join(std::size_t left, WorkerPool& pool);
  void merge_pairs(WorkerPool& pool);

  int positions_;
  int dimensions_;
  Limits limits_;
  std::size_t share_;          // embeddings stored per segment
  std::int64_t capacity_ = 1;  // frames per segment
  bool fading_ = false;        // something was forgotten: segments do not double any more
  bool closed_ = false;        // the next frame opens a segment
  bool next_is_stretch_ = false;
  std::vector<Segment> segments_;
  std::vector<float> pending_;          // embeddings that wait for a batched update of the last segment
  std::vector<float> pending_weights_;  // what each of them counts
};

/// Places for segments and for stored embeddings that fit into `allowed` bytes, beside one more set of statistics for
/// the merges. Warns where there are too few for a good threshold.
[[nodiscard]] Segments::Limits segment_limits(int positions, int dimensions, std::int64_t allowed);

}  // namespace padim
