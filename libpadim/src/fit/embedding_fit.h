#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "base/worker_pool.h"
#include "fit/finishing.h"
#include "fit/intake.h"
#include "model/tensors.h"
#include "padim/model.h"
#include "scene/appearance.h"
#include "statistics/segments.h"

namespace padim {

/// A fit from the embeddings on: what Fitter and Learner have in common. One thread at a time; its jobs may run on
/// others.
class EmbeddingFit {
 public:
  /// Nothing was seen yet. `info` and `projection` as finish_model() takes them; statistics_bytes: memory for the
  /// statistics of the segments.
  EmbeddingFit(ModelInfo info, Projection projection, std::int64_t statistics_bytes);

  /// Goes on where the fit of `model` ended, in as much memory. Throws invalid_argument where it was stripped.
  EmbeddingFit(const Model& model, std::int64_t statistics_bytes);

  /// From now on frames are examined before they count. Without it they are taken as they come.
  void examine(Intake::OutlierPolicy policy) { intake_.emplace(policy); }

  /// From now on each frame is followed by so many augmented copies; before it, by what the fit's description says.
  void expect_copies(int copies);

  /// Folds in one embedding [P, d]. about: of a real frame. Throws mismatch for another size,
  /// leaving everything as it was.
  void add(std::span<const float> embedding, Segments::Kind kind, WorkerPool& pool, Intake::About about = {});

  /// What the frame of an embedding that was added looked like.
  void saw(const Look& look);

  /// What is added up to end_stretch() is a calibration segment of its own, however short: a new look of what is
  /// normal. Only where frames are not examined.
  void begin_stretch() { segments_.begin_stretch(); }
  void end_stretch() { segments_.close_segment(); }

  /// What the fit of `model` has seen follows: of the same shape; see check_mergeable(). Throws invalid_argument where
  /// it was stripped.
  void absorb(const Model& model, WorkerPool& pool);

  /// Every frame so far counts as `factor` frames, 0 < factor <= 1, from now on: exponential forgetting.
  void forget(double factor) { segments_.forget(factor); }

  /// The threshold that ThresholdPolicy::keep keeps from now on.
  void adopt_threshold(const Calibration& calibration) { info_.calibration = calibration; }

  /// Real frames, those of a continued model included, and those that were left out not.
  [[nodiscard]] std::int64_t frames() const { return segments_.frames() + (intake_ ? intake_->frames() : 0); }

  /// Takes what has been added so far; the job computes the model from it with `threads` threads, while this fit goes
  /// on.
  using Job = std::function<Model(const std::function<bool(double)>& progress)>;
  [[nodiscard]] Job prepare(ThresholdPolicy policy, int threads, WorkerPool& pool);

 private:
  ModelInfo info_;
  Projection projection_;
  Segments segments_;
  int copies_;  // of each frame that comes
  std::optional<Intake> intake_;
};

}  // namespace padim
