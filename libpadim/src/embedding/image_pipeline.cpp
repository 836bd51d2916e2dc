#include "embedding/image_pipeline.h"

#include <algorithm>
#include <utility>

#include "base/stopwatch.h"
#include "padim/error.h"

namespace padim {

ImagePipeline::ImagePipeline(const std::shared_ptr<const Backbone>& backbone, Geometry geometry, Embedding embedding,
                             int batch_size)
    : preprocessor_(geometry),
      embedding_(std::move(embedding)),
      backbone_(backbone->with_last_tap_channels(embedding_.last_tap_channels())),
      batch_size_(batch_size),
      parts_(static_cast<std::size_t>(batch_size)) {
  const int multiple = backbone->info().taps.back().stride;
  if (geometry.input.width % multiple != 0 || geometry.input.height % multiple != 0) {
    throw Error(ErrorCode::invalid_argument, "network input " + to_string(geometry.input) + " is not a multiple of " +
                                                 std::to_string(multiple) + ", the backbone's largest stride");
  }
  images_.resize(static_cast<std::size_t>(batch_size) * image_bytes());
  embedded_.resize(static_cast<std::size_t>(batch_size) * embedding_size());
}

std::size_t ImagePipeline::image_bytes() const {
  const Size input = preprocessor_.geometry().input;
  return static_cast<std::size_t>(input.width) * static_cast<std::size_t>(input.height) * 3;
}

std::size_t ImagePipeline::embedding_size() const {
  const Size grid = positions();
  return static_cast<std::size_t>(grid.width) * static_cast<std::size_t>(grid.height) *
         static_cast<std::size_t>(dimensions());
}

void ImagePipeline::embed(WorkerPool& pool) {
  const Size input = preprocessor_.geometry().input;
  pool.split(pending_, [&](int begin, int end) {
    const auto first = static_cast<std::size_t>(begin);
    const auto count = static_cast<std::size_t>(end - begin);
    Part& part = parts_[first];
    Stopwatch watch;
    backbone_->run(std::span(images_).subspan(first * image_bytes(), count * image_bytes()), end - begin, input.height,
                   input.width, part.taps, network_threads_);
    part.network_ms = watch.lap();
    for (int i = 0; i < end - begin; ++i) {
      const auto at = (first + static_cast<std::size_t>(i)) * embedding_size();
      embedding_.run(part.taps, i, std::span(embedded_).subspan(at, embedding_size()));
    }
    part.embedding_ms = watch.lap();
  });
}

FrameMapping ImagePipeline::push(const ImageView& frame) {
  const auto at = static_cast<std::size_t>(pending_) * image_bytes();
  const auto image = std::span(images_).subspan(at, image_bytes());
  const FrameMapping mapping = preprocessor_.run(frame, image);
  blank(preprocessor_.geometry().mask, image);
  ++pending_;
  return mapping;
}

void ImagePipeline::push_image(std::span<const std::uint8_t> image) {
  std::copy(image.begin(), image.end(),
            images_.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(pending_) * image_bytes()));
  ++pending_;
}

std::span<const std::uint8_t> ImagePipeline::last_image() const {
  return std::span(images_).subspan(static_cast<std::size_t>(pending_ - 1) * image_bytes(), image_bytes());
}

}  // namespace padim
