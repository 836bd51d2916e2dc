#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "statistics/gaussian.h"

namespace padim {

/// A stretch of the stream that is held out as a whole; the memory belongs to somebody else.
struct SegmentView {
  /// Embeddings in half precision [n, P, d], evenly thinned, in stream order: each frame, and behind it its augmented
  /// copies.
  std::span<const std::uint16_t> stored;
  std::span<const std::uint8_t> copies;  ///< per stored frame: the augmented copies that follow it
  std::int64_t frames = 0;               ///< real frames, without augmented copies
  std::int64_t stride = 1;               ///< one frame in `stride` is stored
  bool stretch = false;                  ///< between begin_stretch() and its end: never joined because it is short
  double weight = 1;                     ///< what its frames count on average, after what was forgotten
};

/// The stream of embeddings: the statistics of all of it, and a thinned store of embeddings in a few contiguous
/// segments, from which thresholds are calibrated; in memory that does not depend on the stream's length. Whenever the
/// last place is taken, neighbours are merged by pairs and the length of a segment doubles: 8 places hold 4 to 8
/// segments from the eighth frame on, whether or not the length was known before. Copies share their memory; it is
/// copied before it changes. One thread at a time, but copies are independent of each other.
class Segments {
 public:
  struct Limits {
    int count;   ///< most segments kept at a time, >= 1
    int stored;  ///< frames stored in all, shared evenly by `count` segments; 0: none
  };

  /// No stream is as long, but each short segment that joins a long one may double the stride. Views may have no larger
  /// one: it could not be brought together with others.
  static constexpr std::int64_t kLargestStride = std::int64_t{1} << 40;

  /// An embedding of a frame as it came, or an augmented copy of the latest frame, which is not counted.
  enum class Kind { real, augmented };

  Segments(int positions, int dimensions, Limits limits);

  /// What was kept elsewhere; `owner` keeps the views' memory alive. capacity: frames per segment at that time, >= 1.
  /// Where there are more segments than the limits allow, neighbours are merged.
  Segments(const GaussianView& statistics, const std::vector<SegmentView>& views, std::int64_t capacity,
           const std::shared_ptr<const void>& owner, Limits limits);

  /// From now on these are the limits. Where there is more than they allow, neighbours are merged and stores thinned.
  void set_limits(Limits limits);

  /// Appends one embedding [P, d], which counts as `weight` frames.
  void append(std::span<const float> embedding, Kind kind, double weight, WorkerPool& pool);

  /// What follows belongs to another segment than what came before; without effect where there is only one place.
  void close_segment() {
    closed_ = limits_.count > 1;
    in_stretch_ = false;
  }

  /// What follows, up to the next close_segment(), is a segment of its own, however short it stays or long it becomes.
  void begin_stretch() { closed_ = in_stretch_ = limits_.count > 1; }

  /// Every frame so far counts as `factor` frames, 0..1, from now on: exponential forgetting. From then on segments no
  /// longer double: when the places are taken, the two oldest are merged.
  void forget(double factor);

  /// The stream of `other` (same shape) follows.
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

  /// Of a flushed object: of all frames and copies, discounted by what was forgotten.
  [[nodiscard]] GaussianView statistics() const { return statistics_ ? statistics_->view() : borrowed_; }

  [[nodiscard]] SegmentView view(int segment) const;

 private:
  struct Segment {
    std::shared_ptr<std::vector<std::uint16_t>> storage;  ///< shared with copies; null where borrowed
    std::span<const std::uint16_t> borrowed;
    std::vector<std::uint8_t> copies;
    std::int64_t frames = 0;
    std::int64_t stride = 1;
    bool stretch = false;
    double weight = 1;
  };

  [[nodiscard]] std::size_t embedding_size() const;
  [[nodiscard]] std::span<const std::uint16_t> stored(const Segment& segment) const;
  [[nodiscard]] std::vector<std::uint16_t>& writable(Segment& segment) const;
  [[nodiscard]] Gaussian& writable_statistics();
  [[nodiscard]] bool is_full(const Segment& segment) const;
  void open_segment();
  void make_room();
  void store(Segment& segment, std::span<const float> embedding, Kind kind);
  void thin(Segment& segment) const;
  void fit_share(Segment& segment) const;
  void join(std::size_t left);
  void merge_pairs();

  int positions_;
  int dimensions_;
  Limits limits_;
  std::size_t share_;              // frames stored per segment
  std::int64_t capacity_ = 1;      // frames per segment
  bool fading_ = false;            // something was forgotten: segments do not double any more
  bool closed_ = false;            // the next frame opens a segment
  bool in_stretch_ = false;        // frames belong to the stretch that was begun
  bool latest_is_stored_ = false;  // a copy of the latest frame would be stored
  std::vector<Segment> segments_;
  std::shared_ptr<Gaussian> statistics_;  // shared with copies; null where borrowed
  GaussianView borrowed_;
  std::shared_ptr<const void> owner_;   // of what is borrowed
  double fade_ = 1;                     // what the statistics have to be scaled by
  std::vector<float> pending_;          // embeddings that wait for a batched update of the statistics
  std::vector<float> pending_weights_;  // what each of them counts
};

/// Places for segments and for stored frames where a calibration may take `allowed` bytes: a set of statistics for each
/// segment and one more for their merges. copies: augmented ones of each frame, which are stored with it. Warns where
/// there are too few places for a good threshold.
[[nodiscard]] Segments::Limits segment_limits(int positions, int dimensions, int copies, std::int64_t allowed);

}  // namespace padim
