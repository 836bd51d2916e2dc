// Neighbouring frames of a stream are nearly copies, so scores of frames held out between fitted ones are far too low;
// whole blocks of time are held out instead (docs/decisions/0001). Thinning keeps every s-th frame of a segment and
// doubles s when its share is full, so that what is stored stays evenly spread. What is stored serves calibration alone
// and is rounded to half precision, which moves its scores by some 0.05 %.

#include "statistics/segments.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <numeric>
#include <string>
#include <utility>

#include "base/half.h"
#include "base/logging.h"

namespace padim {
namespace {

// Embeddings per update of the co-moments: the big triangles are read and written once per batch.
constexpr std::size_t kBatch = 16;

constexpr int kSegmentPlaces = 8;  // 4 to 8 segments
// In all, copies included; rounded up so that the frames are a power of two, as segments double: 384 at most.
constexpr int kStoredEmbeddings = 256;
constexpr std::int64_t kStoredBytes = std::int64_t{128} << 20;

constexpr double kNegligible = 1e-6;    // weight at which a segment is forgotten altogether
constexpr double kLeastWeight = 1e-12;  // of those that stay: never 0, which could be neither joined nor read back

// Frames that a segment stores.
std::size_t share_of(Segments::Limits limits) {
  return limits.stored == 0 ? 0 : static_cast<std::size_t>(std::max(limits.stored / limits.count, 2));
}

std::ptrdiff_t signed_size(std::size_t size) { return static_cast<std::ptrdiff_t>(size); }

// Nobody else can begin to share what only one object holds, so a use count of 1 is final.
template <class T>
bool is_owned_alone(const std::shared_ptr<T>& shared) {
  if (!shared || shared.use_count() > 1) return false;
  std::atomic_thread_fence(std::memory_order_acquire);  // another thread may have read it until just now
  return true;
}

}  // namespace

Segments::Segments(int positions, int dimensions, Limits limits)
    : positions_(positions),
      dimensions_(dimensions),
      limits_(limits),
      share_(share_of(limits)),
      statistics_(std::make_shared<Gaussian>(positions, dimensions)) {}

Segments::Segments(const GaussianView& statistics, const std::vector<SegmentView>& views, std::int64_t capacity,
                   const std::shared_ptr<const void>& owner, Limits limits)
    : positions_(statistics.positions),
      dimensions_(statistics.dimensions),
      limits_(limits),
      share_(share_of(limits)),
      capacity_(capacity),
      borrowed_(statistics),
      owner_(owner) {
  for (const SegmentView& view : views) {
    Segment segment;
    segment.borrowed = view.stored;
    segment.copies.assign(view.copies.begin(), view.copies.end());
    segment.frames = view.frames;
    segment.stride = view.stride;
    segment.stretch = view.stretch;
    segment.weight = view.weight;
    segments_.push_back(std::move(segment));
  }
  set_limits(limits);
}

void Segments::set_limits(Limits limits) {
  limits_ = limits;
  share_ = share_of(limits);
  for (Segment& segment : segments_) fit_share(segment);
  while (size() > limits_.count) merge_pairs();
}

std::size_t Segments::embedding_size() const {
  return static_cast<std::size_t>(positions_) * static_cast<std::size_t>(dimensions_);
}

std::int64_t Segments::frames() const {
  std::int64_t sum = 0;
  for (const Segment& segment : segments_) sum += segment.frames;
  return sum;
}

std::span<const std::uint16_t> Segments::stored(const Segment& segment) const {
  return segment.storage ? std::span<const std::uint16_t>(*segment.storage) : segment.borrowed;
}

SegmentView Segments::view(int segment) const {
  const Segment& s = segments_[static_cast<std::size_t>(segment)];
  return {stored(s), s.copies, s.frames, s.stride, s.stretch, s.weight};
}

std::vector<std::uint16_t>& Segments::writable(Segment& segment) const {
  if (!is_owned_alone(segment.storage)) {
    const auto shared = stored(segment);
    segment.storage = std::make_shared<std::vector<std::uint16_t>>(shared.begin(), shared.end());
    segment.borrowed = {};
  }
  return *segment.storage;
}

Gaussian& Segments::writable_statistics() {
  if (!is_owned_alone(statistics_)) statistics_ = std::make_shared<Gaussian>(statistics());
  return *statistics_;
}

// A stretch takes whatever belongs to it, and nothing else.
bool Segments::is_full(const Segment& segment) const {
  return segment.stretch ? !in_stretch_ : segment.frames >= capacity_;
}

void Segments::append(std::span<const float> embedding, Kind kind, double weight, WorkerPool& pool) {
  if (kind == Kind::real) {
    if (segments_.empty() || closed_ || is_full(segments_.back())) open_segment();
    Segment& segment = segments_.back();
    store(segment, embedding, kind);
    const auto before = static_cast<double>(segment.frames++);
    segment.weight = (segment.weight * before + 1) / (before + 1);
  } else {
    store(segments_.back(), embedding, kind);
  }
  pending_.reserve(kBatch * embedding_size());
  pending_.insert(pending_.end(), embedding.begin(), embedding.end());
  pending_weights_.push_back(static_cast<float>(weight));
  if (pending_weights_.size() == kBatch) flush(pool);
}

void Segments::forget(double factor) {
  fading_ = true;
  fade_ = std::max(fade_ * factor, kLeastWeight);
  for (float& weight : pending_weights_) weight *= static_cast<float>(factor);
  for (Segment& segment : segments_) segment.weight = std::max(segment.weight * factor, kLeastWeight);
  while (size() > 2 && segments_.front().weight < kNegligible) segments_.erase(segments_.begin());
}

void Segments::flush(WorkerPool& pool) {
  if (pending_weights_.empty() && fade_ == 1) return;
  Gaussian& statistics = writable_statistics();
  if (fade_ != 1) statistics.scale(std::exchange(fade_, 1), pool);
  statistics.add(pending_, pending_weights_, pool);
  pending_.clear();
  pending_weights_.clear();
}

void Segments::open_segment() {
  if (size() == limits_.count) make_room();
  if (!closed_ && !segments_.empty() && !is_full(segments_.back())) return;
  closed_ = false;
  Segment segment;
  segment.stretch = in_stretch_;
  segments_.push_back(std::move(segment));
}

void Segments::make_room() {
  if (fading_ && size() > 2) {
    join(0);
  } else {
    merge_pairs();
  }
}

// With an even number of places all neighbours pair up; an odd last one goes on growing to the new capacity.
void Segments::merge_pairs() {
  for (std::size_t left = 0; left + 1 < segments_.size(); ++left) join(left);
  capacity_ *= 2;
}

void Segments::join(std::size_t left) {
  Segment& into = segments_[left];
  Segment& from = segments_[left + 1];
  while (from.stride < into.stride) thin(from);
  while (into.stride < from.stride || into.copies.size() + from.copies.size() > share_) {
    if (into.stride <= from.stride) thin(into);
    if (from.stride < into.stride) thin(from);
  }
  const auto added = stored(from);
  auto& storage = writable(into);
  storage.insert(storage.end(), added.begin(), added.end());
  into.copies.insert(into.copies.end(), from.copies.begin(), from.copies.end());
  const auto frames = static_cast<double>(into.frames + from.frames);
  into.weight = (into.weight * static_cast<double>(into.frames) + from.weight * static_cast<double>(from.frames)) /
                std::max(frames, 1.0);
  into.weight = std::max(into.weight, kLeastWeight);
  into.frames += from.frames;
  into.stretch = into.stretch || from.stretch;
  segments_.erase(segments_.begin() + signed_size(left + 1));
}

void Segments::absorb(const Segments& other, WorkerPool& pool) {
  flush(pool);
  Segments following = other;
  following.flush(pool);
  writable_statistics().merge(following.statistics(), 1, pool);
  while (capacity_ < following.capacity_) merge_pairs();
  while (following.capacity_ < capacity_) following.merge_pairs();
  for (Segment& segment : following.segments_) {
    static_cast<void>(writable(segment));  // what is borrowed there is another's
    fit_share(segment);
    segments_.push_back(std::move(segment));
  }
  while (size() > limits_.count) merge_pairs();
}

void Segments::store(Segment& segment, std::span<const float> embedding, Kind kind) {
  if (kind == Kind::real) {
    if (segment.copies.size() == share_ && share_ > 0 && segment.frames % segment.stride == 0) thin(segment);
    latest_is_stored_ = share_ > 0 && segment.frames % segment.stride == 0;
    if (!latest_is_stored_) return;
    segment.copies.push_back(0);
  } else {
    if (!latest_is_stored_) return;
    ++segment.copies.back();
  }
  auto& storage = writable(segment);
  std::transform(embedding.begin(), embedding.end(), std::back_inserter(storage), float_to_half);
}

// Every other frame stays, with its copies.
void Segments::thin(Segment& segment) const {
  segment.stride = std::min(segment.stride * 2, kLargestStride);
  if (segment.copies.size() < 2) return;
  auto& storage = writable(segment);
  std::vector<std::uint8_t> copies;
  std::size_t from = 0;
  std::size_t to = 0;
  for (std::size_t i = 0; i < segment.copies.size(); ++i) {
    const std::size_t size = (1 + std::size_t{segment.copies[i]}) * embedding_size();
    if (i % 2 == 0) {
      std::copy_n(storage.begin() + signed_size(from), size, storage.begin() + signed_size(to));
      copies.push_back(segment.copies[i]);
      to += size;
    }
    from += size;
  }
  storage.resize(to);
  segment.copies = std::move(copies);
}

void Segments::fit_share(Segment& segment) const {
  if (share_ == 0) {
    segment.copies.clear();
    segment.storage.reset();
    segment.borrowed = {};
  }
  while (segment.copies.size() > share_) thin(segment);
}

Segments Segments::settled(WorkerPool& pool) const {
  Segments copy = *this;
  copy.flush(pool);
  if (copy.size() < 3 || copy.segments_.back().stretch) return copy;
  const std::size_t left = copy.segments_.size() - 2;
  if (copy.segments_.back().frames * 2 < copy.segments_[left].frames) copy.join(left);
  return copy;
}

Segments::Limits segment_limits(int positions, int dimensions, int copies, std::int64_t allowed) {
  const std::int64_t each = Gaussian::bytes(positions, dimensions);
  int places = kSegmentPlaces;
  if ((places + 1) * each > allowed) places = 4;
  if ((places + 1) * each > allowed) {
    places = 3;
    log(LogLevel::warning, "the statistics of one calibration segment take " + std::to_string(each >> 20) +
                               " MiB: only two or three segments are kept, so the threshold is less certain");
  }
  const auto embedding = static_cast<std::int64_t>(sizeof(std::uint16_t)) * positions * dimensions;
  const std::int64_t per_frame = 1 + copies;
  const auto frames = static_cast<std::int64_t>(std::bit_ceil(static_cast<unsigned>(kStoredEmbeddings / per_frame)));
  const std::int64_t stored = std::min(kStoredBytes / embedding / per_frame, frames);
  return {places, static_cast<int>(std::max<std::int64_t>(stored, 2 * places))};
}

}  // namespace padim
