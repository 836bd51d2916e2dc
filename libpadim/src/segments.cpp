// Neighbouring frames of a stream are nearly copies, so scores of frames held out between fitted ones are far too low;
// whole blocks of time are held out instead (docs/decisions/0001). Thinning keeps every s-th frame of a segment and
// doubles s when its share is full, so that what is stored stays evenly spread.

#include "segments.h"

#include <algorithm>
#include <utility>

namespace padim {
namespace {

constexpr int kBatch =
    16;  // frames per update of the co-moments: the big triangles are read and written once per batch

}  // namespace

Segments::Segments(int positions, int dimensions, Limits limits)
    : positions_(positions),
      dimensions_(dimensions),
      limits_(limits),
      share_(static_cast<std::size_t>(std::max(limits.stored / limits.count, 2))),
      pending_(static_cast<std::size_t>(kBatch) * static_cast<std::size_t>(positions) *
               static_cast<std::size_t>(dimensions)) {
  segments_.reserve(static_cast<std::size_t>(limits.count));
}

void Segments::append(std::span<const float> embedding, WorkerPool& pool) {
  if (segments_.empty() || segments_.back().frames == capacity_) open_segment(pool);
  Segment& segment = segments_.back();
  store(segment, embedding);
  std::copy(
      embedding.begin(), embedding.end(),
      pending_.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(pending_count_) * embedding.size()));
  ++segment.frames;
  ++frames_;
  if (++pending_count_ == kBatch) flush(pool);
}

void Segments::flush(WorkerPool& pool) {
  if (pending_count_ == 0) return;
  segments_.back().statistics.add(pending_, pending_count_, pool);
  pending_count_ = 0;
}

void Segments::open_segment(WorkerPool& pool) {
  flush(pool);
  if (static_cast<int>(segments_.size()) == limits_.count) merge_pairs(pool);
  if (!segments_.empty() && segments_.back().frames < capacity_) return;
  if (spare_.empty()) {
    const auto size = share_ * static_cast<std::size_t>(positions_) * static_cast<std::size_t>(dimensions_);
    segments_.push_back({Gaussian(positions_, dimensions_), 0, 1, std::vector<float>(size), 0});
  } else {
    segments_.push_back(std::move(spare_.back()));
    spare_.pop_back();
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
  into.statistics.merge(from.statistics, pool);
  const std::size_t size = static_cast<std::size_t>(positions_) * static_cast<std::size_t>(dimensions_);
  while (from.stride < into.stride) thin(from);
  while (into.stride < from.stride || static_cast<std::size_t>(into.kept + from.kept) > share_) {
    if (into.stride <= from.stride) thin(into);
    if (from.stride < into.stride) thin(from);
  }
  std::copy_n(from.store.begin(), static_cast<std::size_t>(from.kept) * size,
              into.store.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(into.kept) * size));
  into.kept += from.kept;
  into.frames += from.frames;
  from.statistics.reset();
  from.frames = 0;
  from.stride = 1;
  from.kept = 0;
  spare_.push_back(std::move(from));
  segments_.erase(segments_.begin() + static_cast<std::ptrdiff_t>(left) + 1);
}

void Segments::store(Segment& segment, std::span<const float> embedding) {
  if (segment.frames % segment.stride != 0) return;
  if (static_cast<std::size_t>(segment.kept) == share_) {
    thin(segment);
    if (segment.frames % segment.stride != 0) return;
  }
  std::copy(
      embedding.begin(), embedding.end(),
      segment.store.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(segment.kept) * embedding.size()));
  ++segment.kept;
}

void Segments::thin(Segment& segment) const {
  const std::size_t size = static_cast<std::size_t>(positions_) * static_cast<std::size_t>(dimensions_);
  const int kept = (segment.kept + 1) / 2;
  for (int i = 1; i < kept; ++i) {
    std::copy_n(segment.store.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(2 * i) * size), size,
                segment.store.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(i) * size));
  }
  segment.kept = kept;
  segment.stride *= 2;
}

void Segments::settle(WorkerPool& pool) {
  flush(pool);
  if (segments_.size() < 3) return;
  const std::size_t left = segments_.size() - 2;
  if (segments_.back().frames * 2 < segments_[left].frames) join(left, pool);
}

void Segments::merge_all_but(int left_out, Gaussian& result, WorkerPool& pool) const {
  result.reset();
  for (int i = 0; i < size(); ++i) {
    if (i != left_out) result.merge(segments_[static_cast<std::size_t>(i)].statistics, pool);
  }
}

std::span<const float> Segments::stored(int segment) const {
  const Segment& s = segments_[static_cast<std::size_t>(segment)];
  return std::span(s.store).first(static_cast<std::size_t>(s.kept) * static_cast<std::size_t>(positions_) *
                                  static_cast<std::size_t>(dimensions_));
}

}  // namespace padim
