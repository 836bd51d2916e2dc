// From what a stream has shown to a model: the statistics of all of it, regularised and whitened, and the threshold
// that its source calls for.

#include "fit/finishing.h"

#include <cmath>
#include <memory>
#include <string>
#include <utility>

#include "base/logging.h"
#include "base/packed_triangle.h"
#include "base/stopwatch.h"
#include "fit/copies_gain.h"
#include "fit/image_calibration.h"
#include "fit/scoring.h"
#include "fit/stream_calibration.h"
#include "model/tensors.h"
#include "padim/error.h"
#include "scene/limits.h"
#include "statistics/calibration.h"

namespace padim {
namespace {

constexpr int kMinimumFrames = 2;
constexpr int kFramesForCopies = 8;      // with fewer, copies of any kind seem to help
constexpr double kWhiteningShare = 0.1;  // of the work, for the progress

// What a model needs to score frames.
struct ScoringArrays {
  std::vector<float> mean;
  std::vector<std::uint16_t> whitener;
};

// Without a prior and without copies, of two frames no one can be left out.
void check_frames(const Segments& segments, const ModelInfo& info) {
  const bool can_leave_out =
      info.prior > 0 || segments.statistics().count > 2 || info.calibration.false_alarm_rate == 0;
  if (info.frames >= kMinimumFrames && can_leave_out) return;
  const std::string least = info.frames < kMinimumFrames ? "2 frames; " : "3 frames without a prior; ";
  throw Error(ErrorCode::numeric, "a fit needs at least " + least + std::to_string(info.frames) +
                                      (info.frames == 1 ? " was given" : " were given"));
}

// Turned copies of parts that always lie the same way teach what never comes, so they are checked. Copies in slightly
// other light are not: the camera will show that.
void judge_copies(ModelInfo& info, const Segments& segments, WorkerPool& pool) {
  info.examination.copies_gain.reset();
  if (info.augment == 0 || info.augment_kind != AugmentKind::rotate || info.frames < kFramesForCopies) return;
  const double gain = copies_gain(segments, info, pool);
  if (!std::isfinite(gain)) return;  // frames that are all alike, or no variance beside epsilon
  info.examination.copies_gain = gain;
  if (gain >= 0) return;
  log(LogLevel::warning, "turned copies make the frames of this fit less likely (by " + short_text(-gain) +
                             " per dimension), so that its parts seem to lie the same way: fit without them "
                             "(augment-kind light)");
}

// Sets the threshold, and the level of the whole picture where it can be known.
void calibrate(ModelInfo& info, const Segments& segments, const WhitenedGaussians& model, WorkerPool& pool,
               const Step& step) {
  if (info.calibration.false_alarm_rate == 0) {
    info.calibration = uncalibrated(info.dimensions);
    return;
  }
  const Segments settled = segments.settled(pool);
  judge_copies(info, settled, pool);
  if (info.calibration.source == SourceKind::images) {
    info.calibration = calibrate_images(settled, model, info, pool, step);
    return;
  }
  std::vector<std::vector<float>> medians;
  info.calibration = calibrate_stream(settled, model, info, pool, step, &medians);
  if (!info.scene || medians.empty()) return;
  info.scene->segments = static_cast<int>(medians.size());
  info.scene->median_distance = scene_limits(std::move(medians));
  info.scene->frames = info.frames;
}

std::string report(const Model& model, double whitening_ms, double calibration_ms) {
  const ModelInfo& info = model.info();
  return "model computed from " + std::to_string(info.frames) + " frames in " +
         std::to_string(ModelTensors::of(model).segments->get()->size()) + " segments: threshold " +
         short_text(info.calibration.threshold) + " (rule " + info.calibration.rule + "), epsilon " +
         short_text(info.epsilon) + "; whitening took " + short_text(whitening_ms) + " ms, threshold " +
         short_text(calibration_ms) + " ms, model " + model.id();
}

}  // namespace

Model finish_model(const Segments& segments, ModelInfo info, Projection projection, ThresholdPolicy policy,
                   WorkerPool& pool, const std::function<bool(double)>& progress) {
  const auto step = [&](double done) {
    if (progress && !progress(done)) {
      throw Error(ErrorCode::cancelled, "the fit was stopped before it was complete");
    }
  };
  const auto all = std::make_shared<Segments>(segments);
  all->flush(pool);
  info.frames = all->frames();
  check_frames(*all, info);
  step(0);
  Stopwatch watch;
  WhitenedGaussians model(all->statistics(), info, pool);
  const double whitening_ms = watch.lap();
  if (policy == ThresholdPolicy::calibrate) {
    calibrate(info, *all, model, pool, [&](double done) { step(kWhiteningShare + (1 - kWhiteningShare) * done); });
  }
  info.epsilon = model.epsilon;
  const auto arrays = std::make_shared<const ScoringArrays>(
      ScoringArrays{{model.gaussian.mean.begin(), model.gaussian.mean.end()}, std::move(model.whitener)});
  auto tensors = std::make_shared<ModelTensors>();
  tensors->mean = arrays->mean;
  tensors->whitener = std::span(arrays->whitener).first(arrays->whitener.size() - kTrianglePadding);
  tensors->owner = arrays;
  tensors->projection = std::move(projection);
  tensors->segments = std::make_shared<const KeptSegments>(all);
  step(1);
  Model result = ModelTensors::make_model(std::move(info), std::move(tensors));
  log(LogLevel::info, [&] { return report(result, whitening_ms, watch.lap()); });
  return result;
}

}  // namespace padim
