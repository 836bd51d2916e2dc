#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "padim/detector.h"
#include "padim/export.h"
#include "padim/limits.h"
#include "padim/model.h"

namespace padim {

/// How a learner follows drift, and how its jobs run.
struct LearnerOptions {
  double half_life = kHalfLife.fallback;  ///< frames after which a folded frame counts half; 0: no adaptation
  int threads = kThreads.fallback;        ///< of the jobs; not positive: all cores
  std::int64_t max_statistics_bytes = kMaximumStatisticsBytes;  ///< see FitOptions
};

/// Computes a model, on any thread. `progress` as in Fitter::finish. Throws numeric, cancelled.
using ModelJob = std::function<Model(const std::function<bool(double)>& progress)>;

/// A new model that is worth computing.
struct Refresh {
  ModelJob job;
  /// Frames that the operator showed and that are in no model in use yet; 0: the model follows drift alone.
  std::int64_t frames_shown = 0;
};

/// Keeps a model up to date while it detects, in two ways. learn(): the operator says that what comes is normal. The
/// frames become a calibration segment of their own, and the threshold is calibrated anew. Adaptation: slow drift
/// (light, tool wear) is followed by folding in frames that were judged normal, with exponential forgetting; the
/// threshold stays. Frames within kHoldOff frames after an anomalous one are not folded in: a defect that is left in
/// view, enters or leaves is not learned. One thread at a time, the detecting one; the jobs may run on another.
class PADIM_API Learner {
 public:
  static constexpr int kHoldOff = 15;

  /// Throws invalid_argument where the model does not carry its statistics (it was stripped), and for a half-life
  /// outside kHalfLife.
  explicit Learner(const Model& model, LearnerOptions options = {});
  ~Learner();
  Learner(Learner&&) noexcept;
  Learner& operator=(Learner&&) noexcept;

  void set_half_life(double frames);

  /// The next `frames` frames are normal, whatever they score; a call meanwhile adds to the stretch.
  void learn(std::int64_t frames);

  /// Ends the stretch before its time: with the frames seen so far, or, without any, not at all.
  void end_stretch();

  /// Frames that learn() still waits for.
  [[nodiscard]] std::int64_t learning() const;

  /// What the detector has just found in a frame, and the frame's embedding. Throws mismatch for an embedding of
  /// another size than the model's.
  void observe(const Detection& detection, std::span<const float> embedding);

  /// A new model is worth computing: take_refresh(). Never during a stretch: what an earlier one left waits for its
  /// end.
  [[nodiscard]] bool due() const;

  /// What computes the new model; what is due then waits for new frames. One at a time: where its model does not come
  /// to adopt(), as its job failed or was cancelled, the next refresh speaks for its frames as well. Throws
  /// invalid_argument where nothing is due.
  [[nodiscard]] Refresh take_refresh();

  /// The model of the latest refresh is in use from now on: its threshold is the one that adaptation keeps.
  void adopt(const Model& model);

 private:
  struct PADIM_LOCAL Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace padim
