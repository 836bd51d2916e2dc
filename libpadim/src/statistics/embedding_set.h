#pragma once

#include <span>
#include <vector>

namespace padim {

/// Embeddings that somebody else owns, of one shape.
struct EmbeddingSet {
  int positions = 0;
  int dimensions = 0;
  std::vector<std::span<const float>> frames;  ///< [n], each [P, d]

  [[nodiscard]] int size() const { return static_cast<int>(frames.size()); }
  [[nodiscard]] const float* at(int frame, int position) const {
    return frames[static_cast<std::size_t>(frame)].data() +
           static_cast<std::size_t>(position) * static_cast<std::size_t>(dimensions);
  }
};

}  // namespace padim
