// Forgetting: with a half-life of h frames each folded frame multiplies the weight of all before it by 2^(-1/h). A
// whitening costs as much as some tens of detections, so the model is refreshed once in h / kRefreshesPerHalfLife
// folded frames; in that time a drift moves by a small part of what the statistics span.

#include "padim/learner.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "padim/error.h"

namespace padim {
namespace {

constexpr double kRefreshesPerHalfLife = 8;
constexpr double kMostFramesPerRefresh = 500;

FitOptions fit_options(const LearnerOptions& options) {
  FitOptions result;
  result.threads = options.threads;
  return result;
}

}  // namespace

struct Learner::Impl {
  Impl(std::shared_ptr<const Backbone> backbone, const Model& model, const LearnerOptions& options)
      : fitter(std::move(backbone), model, fit_options(options)) {
    set_half_life(options.half_life);
  }

  void set_half_life(double frames) {
    if (!(frames >= 0 && std::isfinite(frames))) {
      throw Error(ErrorCode::invalid_argument, "the half-life of adaptation must be 0 (off) or a number of frames");
    }
    half_life = frames;
  }

  void fold_learned(std::span<const float> embedding) {
    fitter.add_embedding(embedding);
    ++learned;
    if (--to_learn == 0) end_stretch();
  }

  void end_stretch() {
    fitter.end_stretch();
    to_learn = 0;
    if (std::exchange(learned, 0) > 0) due = Due::calibrated;
  }

  void adapt(const Detection& detection, std::span<const float> embedding) {
    since_anomaly = detection.anomalous ? 0 : std::min(since_anomaly + 1, kHoldOff);
    if (since_anomaly < kHoldOff) return;
    fitter.forget(std::exp2(-1 / half_life));
    fitter.add_embedding(embedding);
    const double interval = std::clamp(half_life / kRefreshesPerHalfLife, 1.0, kMostFramesPerRefresh);
    if (++folded < interval) return;
    if (due == Due::nothing) due = Due::refreshed;
  }

  enum class Due { nothing, refreshed, calibrated };

  Fitter fitter;
  double half_life = 0;
  std::int64_t to_learn = 0;
  std::int64_t learned = 0;  // of the stretch that is going on
  int since_anomaly = kHoldOff;
  double folded = 0;  // since the last job
  Due due = Due::nothing;
};

Learner::Learner(std::shared_ptr<const Backbone> backbone, const Model& model, LearnerOptions options)
    : impl_(std::make_unique<Impl>(std::move(backbone), model, options)) {}
Learner::~Learner() = default;
Learner::Learner(Learner&&) noexcept = default;
Learner& Learner::operator=(Learner&&) noexcept = default;

void Learner::set_half_life(double frames) { impl_->set_half_life(frames); }

void Learner::learn(std::int64_t frames) {
  if (frames < 1) throw Error(ErrorCode::invalid_argument, "the number of frames to learn must be at least 1");
  if (impl_->to_learn == 0) impl_->fitter.begin_stretch();
  impl_->to_learn += frames;
}

void Learner::end_stretch() {
  if (impl_->to_learn > 0) impl_->end_stretch();
}

std::int64_t Learner::learning() const { return impl_->to_learn; }

bool Learner::observe(const Detection& detection, std::span<const float> embedding) {
  if (impl_->to_learn > 0) {
    impl_->fold_learned(embedding);
  } else if (impl_->half_life > 0) {
    impl_->adapt(detection, embedding);
  }
  return impl_->due != Impl::Due::nothing;
}

ModelJob Learner::take_job() {
  const auto due = std::exchange(impl_->due, Impl::Due::nothing);
  impl_->folded = 0;
  return impl_->fitter.prepare(due == Impl::Due::calibrated ? Threshold::calibrate : Threshold::keep);
}

void Learner::adopt(const Model& model) { impl_->fitter.adopt_threshold(model.info().calibration); }

std::int64_t Learner::frames() const { return impl_->fitter.frames(); }

}  // namespace padim
