#include "fit/embedding_fit.h"

#include <algorithm>
#include <string>
#include <utility>

#include "fit/stored_frames.h"
#include "padim/error.h"

namespace padim {
namespace {

Segments new_segments(const ModelInfo& info, std::int64_t bytes) {
  return {info.positions.width * info.positions.height, info.dimensions, statistics_limits(info, bytes)};
}

const Segments& segments_of(const Model& model) {
  if (model.resumable()) return *ModelTensors::of(model).segments->get();
  throw Error(
      ErrorCode::invalid_argument,
      "model " + model.id() + " was stripped of its statistics, so its fit cannot go on: fit again, and keep them");
}

void add_examination(Examination& all, const Examination& other) {
  const std::size_t room = Examination::kListed - all.outliers.size();
  const auto listed = static_cast<std::ptrdiff_t>(std::min(room, other.outliers.size()));
  all.outliers.insert(all.outliers.end(), other.outliers.begin(), other.outliers.begin() + listed);
  all.dropped += other.dropped;
  all.kept += other.kept;
  all.repeats += other.repeats;
  all.inconsistent = all.inconsistent || other.inconsistent;
}

}  // namespace

EmbeddingFit::EmbeddingFit(ModelInfo info, Projection projection, std::int64_t statistics_bytes)
    : info_(std::move(info)),
      projection_(std::move(projection)),
      segments_(new_segments(info_, statistics_bytes)),
      copies_(info_.augment) {}

EmbeddingFit::EmbeddingFit(const Model& model, std::int64_t statistics_bytes)
    : info_(model.info()),
      projection_(ModelTensors::of(model).projection),
      segments_(segments_of(model)),
      copies_(info_.augment) {
  segments_.set_limits(statistics_limits(info_, statistics_bytes));
  info_.sources.push_back(model.id());
}

void EmbeddingFit::expect_copies(int copies) {
  copies_ = copies;
  info_.augment = std::max(info_.augment, copies);
}

void EmbeddingFit::add(std::span<const float> embedding, Segments::Kind kind, WorkerPool& pool, Intake::About about) {
  const auto expected =
      static_cast<std::size_t>(segments_.positions()) * static_cast<std::size_t>(segments_.dimensions());
  if (embedding.size() != expected) {
    throw Error(ErrorCode::mismatch, "an embedding of " + std::to_string(embedding.size()) +
                                         " values does not fit the model's " + std::to_string(expected));
  }
  if (!intake_) return segments_.append(embedding, kind, share_of_copies(info_.calibration.source, copies_), pool);
  if (kind == Segments::Kind::real && intake_->full()) {
    intake_->release(false, segments_, info_, info_.examination, pool);
  }
  intake_->add(embedding, kind, std::move(about));
}

void EmbeddingFit::saw(const Look& look) {
  if (info_.scene) widen(*info_.scene, look);
}

void EmbeddingFit::absorb(const Model& model, WorkerPool& pool) {
  segments_.absorb(segments_of(model), pool);
  const ModelInfo& other = model.info();
  info_.sources.insert(info_.sources.end(), other.sources.begin(), other.sources.end());
  info_.sources.push_back(model.id());
  if (info_.augment == 0) info_.augment_kind = other.augment_kind;
  info_.augment = std::max(info_.augment, other.augment);
  add_examination(info_.examination, other.examination);
  if (!other.scene) info_.scene.reset();  // what its frames looked like is not known
  if (info_.scene) widen(*info_.scene, *other.scene);
}

EmbeddingFit::Job EmbeddingFit::prepare(ThresholdPolicy policy, int threads, WorkerPool& pool) {
  segments_.flush(pool);  // statistics with a pending update would be copied by the job
  return [segments = segments_, intake = intake_, info = info_, projection = projection_, threads,
          policy](const std::function<bool(double)>& progress) {
    WorkerPool workers(threads);
    Segments all = segments;
    ModelInfo described = info;
    if (Intake last = intake.value_or(Intake(Intake::OutlierPolicy::name)); last.frames() > 0) {
      last.release(true, all, described, described.examination, workers);
    }
    return finish_model(all, std::move(described), projection, policy, workers, progress);
  };
}

}  // namespace padim
