#pragma once

#include <vector>

#include "base/worker_pool.h"
#include "padim/calibration.h"
#include "statistics/embedding_set.h"
#include "statistics/gaussian.h"
#include "statistics/segments.h"

namespace padim {

/// What a frame and each of its augmented copies count in a fit, as frames. All that is made of one of separate images
/// counts as one image. In a stream each counts in full: copies stand for what the camera has yet to show.
[[nodiscard]] double share_of_copies(SourceKind source, int copies);

/// What Segments stores, ready for calculations.
struct StoredFrames {
  StoredFrames(const Segments& segments, SourceKind source);
  StoredFrames(const StoredFrames&) = delete;
  StoredFrames& operator=(const StoredFrames&) = delete;

  /// One stored frame.
  struct Frame {
    int segment;
    int original;  ///< into `embeddings`
    int copies;    ///< augmented ones, the embeddings behind the original
  };

  /// The embeddings of frames, with or without their copies.
  [[nodiscard]] std::vector<int> originals(const std::vector<int>& of) const;
  [[nodiscard]] std::vector<int> with_copies(const std::vector<int>& of) const;

  /// Frames of a segment.
  [[nodiscard]] std::vector<int> of_segment(int segment) const;

  /// The chosen embeddings.
  [[nodiscard]] EmbeddingSet subset(const std::vector<int>& chosen) const;

  /// Their statistics, each counting what it does in the fit.
  [[nodiscard]] Gaussian gaussian(const std::vector<int>& chosen, WorkerPool& pool) const;

  std::vector<Frame> frames;   ///< in stream order
  EmbeddingSet embeddings;     ///< of all of them, each frame's copies behind it
  std::vector<float> weights;  ///< what each embedding counts

 private:
  std::vector<float> values_;
};

}  // namespace padim
