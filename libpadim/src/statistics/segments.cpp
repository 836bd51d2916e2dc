// Neighbouring frames of a stream are nearly copies, so scores of frames held out between fitted ones are far too low;
// whole blocks of time are held out instead (docs/decisions/0001). Thinning keeps every s-th frame of a segment and
// doubles s when its share is full, so that what is stored stays evenly spread.

#include "statistics/segments.h"

#include <algorithm>
#include <atomic>
#include <string>
#include <utility>

#include "base/logging.h"

namespace padim {
namespace {

// Frames per update of the co-moments: the big triangles are read and written once per batch.
constexpr std::size_t kBatch = 16;

constexpr int kSegmentPlaces = 8;  // 4 to 8 segments
constexpr int kStoredEmbeddings = 240;
constexpr std::int64_t kStoredBytes = std::int64_t{256} << 20;

constexpr double kNegligible = 1e-6;    // weight at which a segment is forgotten altogether
constexpr double kLeastWeight = 1e-12;  // of those that stay: never 0, which could be neither joined nor read back

// Embeddings that a segment stores.
std::size_t share_of(Segments::Limits limits) {
  return limits.stored == 0 ? 0 : static_cast<std::size_t>(std::max(limits.stored / limits.count, 2));
}

std::ptrdiff_t offset(std::size_t count, std::size_t size) { return static_cast<std::ptrdiff_t>(count * size); }

}  // namespace

Segments::Segments(int positions, int dimensions, Limits limits)
    : positions_(positions), dimensions_(dimensions), limits_(limits), share_(share_of(limits)) {}

Segments::Segments(int positions, int dimensions, Limits limits, const std::vector<SegmentView>& views,
                   std::int64_t capacity, const std::shared_ptr<const void>& owner, WorkerPool& pool)
    : Segments(positions, dimensions, limits) {
  capacity_ = capacity;
  for (const SegmentView& view : views) {
    Segment segment;
    segment.frames = view.frames;
    segment.stride = view.stride;
    segment.kept = static_cast<int>(view.stored.size() / embedding_size());
    segment.stretch = view.stretch;
    segment.weight = view.weight;
    segment.owner = owner;
    segment.mapped = view;
    segments_.push_back(std::move(segment));
    fit_share(segments_.back());
  }
  while (size() > limits_.count) merge_pairs(pool);
}

void Segments::set_limits(Limits limits, WorkerPool& pool) {
  flush(pool);
  limits_ = limits;
  share_ = share_of(limits);
  for (Segment& segment : segments_) fit_share(segment);
  while (size() > limits_.count) merge_pairs(pool);
}

std::size_t Segments::embedding_size() const {
  return static_cast<std::size_t>(positions_) * static_cast<std::size_t>(dimensions_);
}

std::int64_t Segments::frames() const {
  std::int64_t sum = 0;
  for (const Segment& segment : segments_) sum += segment.frames;
  return sum;
}

SegmentView Segments::view(const Segment& segment) const {
  const std::size_t kept = static_cast<std::size_t>(segment.kept) * embedding_size();
  const bool mapped = segment.storage == nullptr;
  return {mapped ? segment.mapped.statistics : segment.storage->statistics.view(),
          mapped ? segment.mapped.stored.first(kept) : std::span<const float>(segment.storage->stored).first(kept),
          segment.frames,
          segment.stride,
          segment.stretch,
          segment.weight};
}

SegmentView Segments::view(int segment) const { return view(segments_[static_cast<std::size_t>(segment)]); }

// Nobody else can begin to share what only this object holds, so a use count of 1 is final.
Segments::Storage& Segments::writable(Segment& segment) const {
  if (segment.storage && segment.storage.use_count() == 1) {
    std::atomic_thread_fence(std::memory_order_acquire);  // another thread may have read it until just now
    auto& stored = segment.storage->stored;
    stored.resize(std::max(stored.size(), share_ * embedding_size()));  // it was sized by other limits, maybe
    return *segment.storage;
  }
  const SegmentView shared = view(segment);
  auto copy = std::make_shared<Storage>(Storage{Gaussian(shared.statistics), {}});
  copy->stored.resize(std::max(share_ * embedding_size(), shared.stored.size()));
  std::copy(shared.stored.begin(), shared.stored.end(), copy->stored.begin());
  segment.storage = std::move(copy);
  segment.mapped = {};
  segment.owner.reset();
  return *segment.storage;
}

void Segments::append(std::span<const float> embedding, Kind kind, WorkerPool& pool) {
  const bool full = segments_.empty() || segments_.back().frames >= capacity_ || closed_;
  if (full && kind == Kind::real) open_segment(pool);
  Segment& segment = segments_.back();
  if (kind == Kind::real) {
    store(segment, embedding);
    ++segment.frames;
  }
  pending_.reserve(kBatch * embedding_size());
  pending_.insert(pending_.end(), embedding.begin(), embedding.end());
  pending_weights_.push_back(1);
  if (pending_weights_.size() == kBatch) flush(pool);
}

void Segments::forget(double factor) {
  fading_ = true;
  for (Segment& segment : segments_) segment.weight = std::max(segment.weight * factor, kLeastWeight);
  for (float& weight : pending_weights_) weight *= static_cast<float>(factor);
  while (size() > 2 && segments_.front().weight < kNegligible) segments_.erase(segments_.begin());
}

void Segments::flush(WorkerPool& pool) {
  if (pending_weights_.empty()) return;
  Segment& segment = segments_.back();
  Gaussian& statistics = writable(segment).statistics;
  if (segment.weight != 1) statistics.scale(std::exchange(segment.weight, 1), pool);
  statistics.add(pending_, pending_weights_, pool);
  pending_.clear();
  pending_weights_.clear();
}

void Segments::open_segment(WorkerPool& pool) {
  flush(pool);
  if (size() == limits_.count) make_room(pool);
  if (!closed_ && !segments_.empty() && segments_.back().frames < capacity_) return;
  closed_ = false;
  Segment segment;
  segment.storage = std::make_shared<Storage>(Storage{Gaussian(positions_, dimensions_), {}});
  segment.storage->stored.resize(share_ * embedding_size());
  segment.stretch = std::exchange(next_is_stretch_, false);
  segments_.push_back(std::move(segment));
}

void Segments::make_room(WorkerPool& pool) {
  if (fading_ && size() > 2) {
    join(0, pool);
  } else {
    merge_pairs(pool);
  }
}

// With an even number of places all neighbours pair up; an odd last one goes on growing to the new capacity.
void Segments::merge_pairs(WorkerPool& pool) {
  for (std::size_t left = 0; left + 1 < segments_.size(); ++left) join(left, pool);
  capacity_ *= 2;
}

void Segments::join(std::size_t left, WorkerPool& pool) {
  Segment& into = segments_[left];
  Segment& from = segments_[left + 1];
  while (from.stride < into.stride) thin(from);
  while (into.stride < from.stride || static_cast<std::size_t>(into.kept + from.kept) > share_) {
    if (into.stride <= from.stride) thin(into);
    if (from.stride < into.stride) thin(from);
  }
  Storage& storage = writable(into);
  const SegmentView other = view(from);
  std::copy(other.stored.begin(), other.stored.end(),
            storage.stored.begin() + offset(static_cast<std::size_t>(into.kept), embedding_size()));
  storage.statistics.merge(other.statistics, from.weight / into.weight, pool);
  into.kept += from.kept;
  into.frames += from.frames;
  into.stretch = into.stretch || from.stretch;
  segments_.erase(segments_.begin() + static_cast<std::ptrdiff_t>(left + 1));
}

void Segments::absorb(const Segments& other, WorkerPool& pool) {
  flush(pool);
  Segments following = other;
  following.flush(pool);
  while (capacity_ < following.capacity_) merge_pairs(pool);
  while (following.capacity_ < capacity_) following.merge_pairs(pool);
  for (Segment& segment : following.segments_) {
    fit_share(segment);
    segments_.push_back(std::move(segment));
  }
  while (size() > limits_.count) merge_pairs(pool);
}

void Segments::store(Segment& segment, std::span<const float> embedding) const {
  if (share_ == 0 || segment.frames % segment.stride != 0) return;
  if (static_cast<std::size_t>(segment.kept) == share_) {
    thin(segment);
    if (segment.frames % segment.stride != 0) return;
  }
  std::copy(embedding.begin(), embedding.end(),
            writable(segment).stored.begin() + offset(static_cast<std::size_t>(segment.kept), embedding_size()));
  ++segment.kept;
}

void Segments::thin(Segment& segment) const {
  segment.stride = std::min(segment.stride * 2, kLargestStride);
  if (segment.kept == 0) return;
  auto& stored = writable(segment).stored;
  const int kept = (segment.kept + 1) / 2;
  for (int i = 1; i < kept; ++i) {
    std::copy_n(stored.begin() + offset(static_cast<std::size_t>(2 * i), embedding_size()), embedding_size(),
                stored.begin() + offset(static_cast<std::size_t>(i), embedding_size()));
  }
  segment.kept = kept;
}

void Segments::fit_share(Segment& segment) const {
  if (share_ == 0) segment.kept = 0;
  while (static_cast<std::size_t>(segment.kept) > share_) thin(segment);
}

Segments Segments::settled(WorkerPool& pool) const {
  Segments copy = *this;
  copy.flush(pool);
  if (copy.size() < 3 || copy.segments_.back().stretch) return copy;
  const std::size_t left = copy.segments_.size() - 2;
  if (copy.segments_.back().frames * 2 < copy.segments_[left].frames) copy.join(left, pool);
  return copy;
}

void Segments::merge_all_but(int left_out, Gaussian& result, WorkerPool& pool) const {
  result.reset();
  for (int i = 0; i < size(); ++i) {
    if (i != left_out) result.merge(view(i).statistics, view(i).weight, pool);
  }
}

Segments::Limits segment_limits(int positions, int dimensions, std::int64_t allowed) {
  const std::int64_t each = Gaussian::bytes(positions, dimensions);
  int places = kSegmentPlaces;
  if ((places + 1) * each > allowed) places = 4;
  if ((places + 1) * each > allowed) {
    places = 3;
    log(LogLevel::warning, "the statistics of one calibration segment take " + std::to_string(each >> 20) +
                               " MiB: only two or three segments are kept, so the threshold is less certain");
  }
  const auto embedding = static_cast<std::int64_t>(sizeof(float)) * positions * dimensions;
  return {places, static_cast<int>(std::clamp<std::int64_t>(kStoredBytes / embedding, 2 * places, kStoredEmbeddings))};
}

}  // namespace padim
