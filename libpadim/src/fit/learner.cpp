// Forgetting: with a half-life of h frames each folded frame multiplies the weight of all before it by 2^(-1/h). A
// whitening costs as much as some tens of detections, so the model is refreshed once in h / kRefreshesPerHalfLife
// folded frames; in that time a drift moves by a small part of what the statistics span.

#include "padim/learner.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "base/logging.h"
#include "base/range_check.h"
#include "base/worker_pool.h"
#include "fit/embedding_fit.h"
#include "padim/error.h"

namespace padim {
namespace {

constexpr double kRefreshesPerHalfLife = 8;
constexpr double kMostFramesPerRefresh = 500;

}  // namespace

struct Learner::Impl {
  Impl(const Model& model, const LearnerOptions& options)
      : threads(options.threads), pool(threads), fit(model, options.max_statistics_bytes) {
    set_half_life(options.half_life);
  }

  void set_half_life(double frames) {
    check_range("half-life of adaptation", frames, kHalfLife);
    half_life = frames;
  }

  void learn(std::int64_t frames) {
    if (frames < 1) throw Error(ErrorCode::invalid_argument, "the number of frames to learn must be at least 1");
    if (to_learn == 0) fit.begin_stretch();
    to_learn += frames;
  }

  void fold(const Detection& detection, std::span<const float> embedding) {
    fit.add(embedding, Segments::Kind::real, pool);
    fit.saw({detection.appearance, detection.repeats});
  }

  void fold_shown(const Detection& detection, std::span<const float> embedding) {
    fold(detection, embedding);
    ++shown;
    if (--to_learn == 0) fit.end_stretch();
  }

  void end_stretch() {
    if (std::exchange(to_learn, 0) > 0) fit.end_stretch();
  }

  void adapt(const Detection& detection, std::span<const float> embedding) {
    since_anomaly = detection.anomalous ? 0 : std::min(since_anomaly + 1, kHoldOff);
    if (since_anomaly < kHoldOff) return;
    fit.forget(std::exp2(-1 / half_life));
    fold(detection, embedding);
    ++folded;
    if (folded >= std::clamp(half_life / kRefreshesPerHalfLife, 1.0, kMostFramesPerRefresh)) drifted = true;
  }

  [[nodiscard]] bool due() const { return to_learn == 0 && (shown > 0 || drifted); }

  Refresh take_refresh() {
    if (!due()) throw Error(ErrorCode::invalid_argument, "no refresh is due: ask due() before");
    frames_in_job += std::exchange(shown, 0);
    drifted = false;
    folded = 0;
    log(LogLevel::debug, [&] {
      return "a refresh is due: " + std::to_string(fit.frames()) + " frames, " + std::to_string(frames_in_job) +
             " of them shown since the model in use";
    });
    const auto policy = frames_in_job > 0 ? ThresholdPolicy::calibrate : ThresholdPolicy::keep;
    return {fit.prepare(policy, threads, pool), frames_in_job};
  }

  void adopt(const Model& model) {
    frames_in_job = 0;
    fit.adopt_threshold(model.info().calibration);
  }

  int threads;
  WorkerPool pool;
  EmbeddingFit fit;
  double half_life = 0;
  std::int64_t to_learn = 0;
  std::int64_t shown = 0;          // by the operator, since the latest job was taken
  std::int64_t frames_in_job = 0;  // shown before, but in no model that was adopted
  int since_anomaly = kHoldOff;
  double folded = 0;  // of drift, since the latest job was taken
  bool drifted = false;
};

Learner::Learner(const Model& model, LearnerOptions options) : impl_(std::make_unique<Impl>(model, options)) {}
Learner::~Learner() = default;
Learner::Learner(Learner&&) noexcept = default;
Learner& Learner::operator=(Learner&&) noexcept = default;

void Learner::set_half_life(double frames) { impl_->set_half_life(frames); }

void Learner::learn(std::int64_t frames) { impl_->learn(frames); }

void Learner::end_stretch() { impl_->end_stretch(); }

std::int64_t Learner::learning() const { return impl_->to_learn; }

void Learner::observe(const Detection& detection, std::span<const float> embedding) {
  if (impl_->to_learn > 0) {
    impl_->fold_shown(detection, embedding);
  } else if (impl_->half_life > 0) {
    impl_->adapt(detection, embedding);
  }
}

bool Learner::due() const { return impl_->due(); }

Refresh Learner::take_refresh() { return impl_->take_refresh(); }

void Learner::adopt(const Model& model) { impl_->adopt(model); }

}  // namespace padim
