#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/worker_pool.h"
#include "embedding/image_pipeline.h"
#include "embedding/pca.h"
#include "padim/image_view.h"

namespace padim {

/// A fit without a first pass learns its basis from the first so many frames, which are kept until then, preprocessed:
/// about 200 kB each.
inline constexpr int kBasisFrames = 64;

/// The pass that finds the basis of reduction pca: frame -> image pipeline with all channels -> principal components.
/// Frames that will be fitted as well are kept, preprocessed. One thread at a time.
class BasisPass {
 public:
  BasisPass(ImagePipeline pipeline, const WorkerPool& pool);

  /// Throws as ImagePipeline::push does, leaving everything as it was.
  void observe(const ImageView& frame, WorkerPool& pool);
  void observe_and_keep(const ImageView& frame, const std::string& name, WorkerPool& pool);

  /// Frames kept, and one of them: its name, and as ImagePipeline::push_image takes it.
  [[nodiscard]] int kept() const { return static_cast<int>(names_.size()); }
  [[nodiscard]] const std::string& name(int kept) const { return names_[static_cast<std::size_t>(kept)]; }
  [[nodiscard]] std::span<const std::uint8_t> image(int kept) const;

  /// The basis [F, dimensions] of everything observed; see Pca::components.
  [[nodiscard]] std::vector<float> basis(int dimensions, WorkerPool& pool);

 private:
  void run_batch(WorkerPool& pool);

  ImagePipeline pipeline_;
  Pca pca_;
  std::vector<std::string> names_;
  std::vector<std::uint8_t> images_;  // [kept, height, width, 3]
};

}  // namespace padim
