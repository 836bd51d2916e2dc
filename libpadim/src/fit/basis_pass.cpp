#include "fit/basis_pass.h"

#include <utility>

namespace padim {

BasisPass::BasisPass(ImagePipeline pipeline, const WorkerPool& pool)
    : pipeline_(std::move(pipeline)),
      pca_(pipeline_.positions().width * pipeline_.positions().height, pipeline_.dimensions(), pool) {}

void BasisPass::observe(const ImageView& frame, WorkerPool& pool) {
  if (pipeline_.full()) run_batch(pool);
  pipeline_.push(frame);
}

void BasisPass::observe_and_keep(const ImageView& frame, const std::string& name, WorkerPool& pool) {
  observe(frame, pool);
  const auto image = pipeline_.last_image();
  images_.insert(images_.end(), image.begin(), image.end());
  names_.push_back(name);
}

std::span<const std::uint8_t> BasisPass::image(int kept) const {
  const std::size_t size = images_.size() / names_.size();
  return std::span(images_).subspan(static_cast<std::size_t>(kept) * size, size);
}

std::vector<float> BasisPass::basis(int dimensions, WorkerPool& pool) {
  run_batch(pool);
  return pca_.components(dimensions);
}

void BasisPass::run_batch(WorkerPool& pool) {
  pipeline_.run(pool, [&](std::span<const float> embedding) { pca_.add(embedding, pool); });
}

}  // namespace padim
