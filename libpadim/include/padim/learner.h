#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "padim/backbone.h"
#include "padim/detector.h"
#include "padim/export.h"
#include "padim/fitter.h"
#include "padim/model.h"

namespace padim {

/// How a learner follows drift, and how its jobs run.
struct LearnerOptions {
  double half_life = 0;  ///< frames after which a folded frame counts half; 0: no adaptation
  int threads = -1;      ///< of the jobs; not positive: all cores
};

/// Keeps a model up to date while it detects, in two ways. learn(): the operator says that what comes is normal. The
/// frames become a calibration segment of their own, and the threshold is calibrated anew. Adaptation: slow drift
/// (light, tool wear) is followed by folding in frames that were judged normal, with exponential forgetting; the
/// threshold stays. Frames within kHoldOff frames after an anomalous one are not folded in: a defect that is left in
/// view, enters or leaves is not learned. One thread at a time, the detecting one; the jobs may run on another.
class PADIM_API Learner {
 public:
  static constexpr int kHoldOff = 15;

  /// Throws what the resuming Fitter throws, and invalid_argument for a half-life that is negative or not finite.
  Learner(std::shared_ptr<const Backbone> backbone, const Model& model, LearnerOptions options = {});
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

  /// What the detector has just found in a frame, and the frame's embedding. True while a new model is due.
  bool observe(const Detection& detection, std::span<const float> embedding);

  /// The job that computes the new model; what is due then waits for new frames. The model goes to adopt().
  [[nodiscard]] ModelJob take_job();

  /// A job's model is in use from now on: its threshold is the one that adaptation keeps.
  void adopt(const Model& model);

  /// Frames of the model that the next job would compute.
  [[nodiscard]] std::int64_t frames() const;

 private:
  struct PADIM_LOCAL Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace padim
