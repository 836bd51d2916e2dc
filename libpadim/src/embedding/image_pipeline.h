#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/worker_pool.h"
#include "embedding/embedding.h"
#include "image/mask.h"
#include "image/preprocess.h"
#include "padim/backbone.h"
#include "padim/image_view.h"
#include "padim/model.h"

namespace padim {

/// The stages that fit and detection share: frame -> preprocess -> backbone -> embedding, for batches of frames. Owns
/// scratch memory only; one thread at a time.
class ImagePipeline {
 public:
  /// `embedding`: of the backbone's taps. Throws invalid_argument where the network input is not a multiple of the
  /// backbone's largest stride.
  ImagePipeline(const std::shared_ptr<const Backbone>& backbone, Geometry geometry, Embedding embedding,
                int batch_size);

  [[nodiscard]] Size positions() const { return embedding_.positions(preprocessor_.geometry().input); }
  [[nodiscard]] int dimensions() const { return embedding_.dimensions(); }

  /// Takes a frame into the batch. Throws mismatch or invalid_argument, leaving the batch as it was. Must not be called
  /// while full().
  FrameMapping push(const ImageView& frame);

  /// The same for an image that a pipeline of this geometry has preprocessed, uint8 RGB [height, width, 3].
  void push_image(std::span<const std::uint8_t> image);

  /// The image that was pushed last, preprocessed; valid until the next push.
  [[nodiscard]] std::span<const std::uint8_t> last_image() const;

  /// Takes a variant of the image `back` places before (1: the last one) into the batch: change(from, size, to) writes
  /// it, uint8 RGB [height, width, 3]. Must not be called while full().
  template <class Change>
  void push_variant(int back, const Change& change) {
    const auto all = std::span(images_);
    const auto at = static_cast<std::size_t>(pending_) * image_bytes();
    const auto from = at - static_cast<std::size_t>(back) * image_bytes();
    change(std::span<const std::uint8_t>(all.subspan(from, image_bytes())), preprocessor_.geometry().input,
           all.subspan(at, image_bytes()));
    blank(preprocessor_.geometry().mask, all.subspan(at, image_bytes()));
    ++pending_;
  }

  [[nodiscard]] bool full() const { return pending_ == batch_size_; }
  [[nodiscard]] int pending() const { return pending_; }

  /// Of each run of the backbone from now on.
  void set_network_threads(int threads) { network_threads_ = threads; }

  /// Wall time of the latest run() of a batch of one frame.
  [[nodiscard]] double network_ms() const { return parts_.front().network_ms; }
  [[nodiscard]] double embedding_ms() const { return parts_.front().embedding_ms; }

  /// Drops the batch: what a failed run() left behind.
  void clear() { pending_ = 0; }

  /// Embeds the batch, one part of it per thread of the pool, and calls consume(embedding [P, d]) for each frame in
  /// order; the batch is empty afterwards.
  template <class Consume>
  void run(WorkerPool& pool, const Consume& consume) {
    embed(pool);
    for (std::size_t i = 0; i < static_cast<std::size_t>(pending_); ++i)
      consume(std::span<const float>(embedded_).subspan(i * embedding_size(), embedding_size()));
    pending_ = 0;
  }

 private:
  // What a thread needs for its part of a batch.
  struct Part {
    std::vector<TapMaps> taps;
    double network_ms = 0;
    double embedding_ms = 0;
  };

  [[nodiscard]] std::size_t image_bytes() const;
  [[nodiscard]] std::size_t embedding_size() const;
  void embed(WorkerPool& pool);

  Preprocessor preprocessor_;
  Embedding embedding_;
  std::shared_ptr<const Backbone> backbone_;
  int batch_size_;
  int network_threads_ = 1;
  int pending_ = 0;
  std::vector<std::uint8_t> images_;  // [batch, height, width, 3]
  std::vector<Part> parts_;           // by their first frames
  std::vector<float> embedded_;       // [batch, P, d]
};

}  // namespace padim
