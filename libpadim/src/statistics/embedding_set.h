#pragma once

#include <cstddef>
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

  /// Their deviations from `mean` [d] at a position, a frame per column: columns [d, n].
  void deviations(int position, const float* mean, float* columns) const {
    for (int i = 0; i < size(); ++i) {
      const float* x = at(i, position);
      for (int j = 0; j < dimensions; ++j) columns[j * size() + i] = x[j] - mean[j];
    }
  }
};

}  // namespace padim
