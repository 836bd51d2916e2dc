#include "fit/embedding_fit.h"

#include <string>
#include <utility>

#include "padim/error.h"

namespace padim {
namespace {

Segments new_segments(const ModelInfo& info, std::int64_t bytes) {
  return {info.positions.width * info.positions.height, info.dimensions, statistics_limits(info, bytes)};
}

const Segments& segments_of(const Model& model) {
  if (model.resumable()) return *ModelTensors::of(model).segments;
  throw Error(
      ErrorCode::invalid_argument,
      "model " + model.id() + " was stripped of its statistics, so its fit cannot go on: fit again, and keep them");
}

}  // namespace

EmbeddingFit::EmbeddingFit(ModelInfo info, Projection projection, std::int64_t statistics_bytes)
    : info_(std::move(info)), projection_(std::move(projection)), segments_(new_segments(info_, statistics_bytes)) {}

EmbeddingFit::EmbeddingFit(const Model& model, std::int64_t statistics_bytes, WorkerPool& pool)
    : info_(model.info()), projection_(ModelTensors::of(model).projection), segments_(segments_of(model)) {
  segments_.set_limits(statistics_limits(info_, statistics_bytes), pool);
}

void EmbeddingFit::add(std::span<const float> embedding, Segments::Kind kind, WorkerPool& pool) {
  const auto expected =
      static_cast<std::size_t>(segments_.positions()) * static_cast<std::size_t>(segments_.dimensions());
  if (embedding.size() != expected) {
    throw Error(ErrorCode::mismatch, "an embedding of " + std::to_string(embedding.size()) +
                                         " values does not fit the model's " + std::to_string(expected));
  }
  segments_.append(embedding, kind, pool);
}

void EmbeddingFit::saw(const Look& look) {
  if (info_.scene) widen(*info_.scene, look);
}

void EmbeddingFit::absorb(const Model& model, WorkerPool& pool) {
  segments_.absorb(segments_of(model), pool);
  const auto& other = model.info().scene;
  if (!other) info_.scene.reset();  // what its frames looked like is not known
  if (info_.scene) widen(*info_.scene, *other);
}

EmbeddingFit::Job EmbeddingFit::prepare(ThresholdPolicy policy, int threads, WorkerPool& pool) {
  segments_.flush(pool);  // statistics with a pending update would be copied by the job
  return [segments = segments_, info = info_, projection = projection_, threads,
          policy](const std::function<bool(double)>& progress) {
    WorkerPool workers(threads);
    return finish_model(segments, info, projection, policy, workers, progress);
  };
}

}  // namespace padim
