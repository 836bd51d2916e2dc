#include "fit/stored_frames.h"

#include <algorithm>

#include "base/half.h"

namespace padim {

double share_of_copies(SourceKind source, int copies) {
  return source == SourceKind::images ? 1.0 / (1 + copies) : 1.0;
}

StoredFrames::StoredFrames(const Segments& segments, SourceKind source) {
  embeddings.positions = segments.positions();
  embeddings.dimensions = segments.dimensions();
  const auto size = static_cast<std::size_t>(segments.positions()) * static_cast<std::size_t>(segments.dimensions());
  std::size_t total = 0;
  for (int k = 0; k < segments.size(); ++k) total += segments.view(k).stored.size();
  values_.reserve(total);
  int next = 0;
  for (int k = 0; k < segments.size(); ++k) {
    const SegmentView view = segments.view(k);
    std::ranges::transform(view.stored, std::back_inserter(values_), half_to_float);
    for (const int copies : view.copies) {
      frames.push_back({k, next, copies});
      weights.insert(weights.end(), 1 + static_cast<std::size_t>(copies),
                     static_cast<float>(share_of_copies(source, copies)));
      next += 1 + copies;
    }
  }
  for (std::size_t at = 0; at < total; at += size) embeddings.frames.push_back(std::span(values_).subspan(at, size));
}

std::vector<int> StoredFrames::originals(const std::vector<int>& of) const {
  std::vector<int> chosen;
  for (const int frame : of) chosen.push_back(frames[static_cast<std::size_t>(frame)].original);
  return chosen;
}

std::vector<int> StoredFrames::with_copies(const std::vector<int>& of) const {
  std::vector<int> chosen;
  for (const int frame : of) {
    const Frame& f = frames[static_cast<std::size_t>(frame)];
    for (int copy = 0; copy <= f.copies; ++copy) chosen.push_back(f.original + copy);
  }
  return chosen;
}

std::vector<int> StoredFrames::of_segment(int segment) const {
  std::vector<int> result;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    if (frames[i].segment == segment) result.push_back(static_cast<int>(i));
  }
  return result;
}

EmbeddingSet StoredFrames::subset(const std::vector<int>& chosen) const {
  EmbeddingSet set{embeddings.positions, embeddings.dimensions, {}};
  for (const int i : chosen) set.frames.push_back(embeddings.frames[static_cast<std::size_t>(i)]);
  return set;
}

Gaussian StoredFrames::gaussian(const std::vector<int>& chosen, WorkerPool& pool) const {
  std::vector<float> counted;
  for (const int i : chosen) counted.push_back(weights[static_cast<std::size_t>(i)]);
  return gaussian_of(subset(chosen), counted, pool);
}

}  // namespace padim
