// From segments to a model. Block cross-calibration: each segment's stored embeddings are scored by the model of all
// other segments, and the model that is kept is the merge of all (docs/decisions/0001).

#include "fit/finishing.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>

#include "base/logging.h"
#include "base/packed_triangle.h"
#include "base/stopwatch.h"
#include "image/mask.h"
#include "model/tensors.h"
#include "padim/error.h"
#include "scene/limits.h"
#include "score/upsampling.h"
#include "statistics/calibration.h"
#include "statistics/gaussian.h"
#include "statistics/mahalanobis.h"

namespace padim {
namespace {

constexpr int kMinimumFrames = 4;
constexpr double kSmallestEpsilon = 1e-6;  // for frames that are all alike, such as test patterns

// What a model needs to score frames.
struct ScoringArrays {
  std::vector<float> mean;
  std::vector<std::uint16_t> whitener;
};

class Finishing {
 public:
  Finishing(const Segments& segments, ModelInfo info, WorkerPool& pool, const std::function<bool(double)>& progress)
      : segments_(segments.settled(pool)), info_(std::move(info)), pool_(pool), progress_(progress) {
    info_.frames = segments_.frames();
    if (info_.frames < kMinimumFrames) {
      throw Error(ErrorCode::numeric, "a fit needs at least " + std::to_string(kMinimumFrames) + " frames; " +
                                          std::to_string(info_.frames) + " were given");
    }
  }

  void choose_epsilon() {
    if (info_.relative_epsilon == 0) return;
    const auto counts = counting_positions(info_.geometry.mask, info_.geometry.input, info_.positions);
    info_.epsilon = std::max(info_.relative_epsilon * whole().mean_variance(counts), kSmallestEpsilon);
  }

  void calibrate_threshold() {
    if (info_.calibration.false_alarm_rate == 0) {
      info_.calibration = uncalibrated(info_.dimensions);
      return;
    }
    std::vector<float> scores;
    std::vector<std::vector<float>> stretches;
    std::vector<std::vector<float>> medians(static_cast<std::size_t>(segments_.size()));
    for (int k = 0; k < segments_.size(); ++k) {
      step(k);
      score_held_out(k, segments_.view(k).stretch ? stretches.emplace_back() : scores,
                     medians[static_cast<std::size_t>(k)]);
    }
    set_scene_limits(std::move(medians));
    info_.calibration = calibrate(std::move(scores), segments_.size(), info_.calibration.false_alarm_rate, stretches);
  }

  Model model(std::shared_ptr<const Segments> all, Projection projection) {
    step(segments_.size());
    const GaussianView statistics = whole();
    const auto arrays = std::make_shared<const ScoringArrays>(
        ScoringArrays{{statistics.mean.begin(), statistics.mean.end()}, whiten(statistics, info_.epsilon, pool_)});
    auto tensors = std::make_shared<ModelTensors>();
    tensors->mean = arrays->mean;
    tensors->whitener = std::span(arrays->whitener).first(arrays->whitener.size() - kTrianglePadding);
    tensors->owner = arrays;
    tensors->projection = std::move(projection);
    tensors->comoment = statistics.comoment;
    tensors->comoment_owner = merged_;
    tensors->segments = std::move(all);
    step(segments_.size() + 1);
    return ModelTensors::make_model(std::move(info_), std::move(tensors));
  }

 private:
  GaussianView merge_all_but(int left_out) {
    if (!merged_) merged_ = std::make_shared<Gaussian>(segments_.positions(), segments_.dimensions());
    segments_.merge_all_but(left_out, *merged_, pool_);
    return merged_->view();
  }

  // A single segment is its own merge: large statistics need not be in memory twice.
  GaussianView whole() {
    const bool single = segments_.size() == 1 && segments_.view(0).weight == 1;
    return single ? segments_.view(0).statistics : merge_all_but(-1);
  }

  void step(int done) const {
    if (progress_ && !progress_(static_cast<double>(done) / (segments_.size() + 1))) {
      throw Error(ErrorCode::cancelled, "the fit was stopped before it was complete");
    }
  }

  void set_scene_limits(std::vector<std::vector<float>> medians_per_segment) {
    if (!info_.scene) return;
    info_.scene->median_distance = scene_limits(std::move(medians_per_segment));
    info_.scene->segments = segments_.size();
    info_.scene->frames = info_.frames;
  }

  // Raw image scores of a segment's stored frames by the model of all others, and the medians of their distances.
  void score_held_out(int segment, std::vector<float>& scores, std::vector<float>& medians) {
    const GaussianView others = merge_all_but(segment);
    const auto whitener = whiten(others, info_.epsilon, pool_);
    Mahalanobis mahalanobis(others.mean, whitener, info_.positions, others.dimensions, info_.search_radius);
    Upsampler upsampler(info_.positions, info_.geometry.input, info_.geometry.mask);
    const auto counts = counting_positions(info_.geometry.mask, info_.geometry.input, info_.positions);
    ScoreMap map;
    std::vector<float> sorted;
    std::vector<float> distances(static_cast<std::size_t>(others.positions));
    const std::span<const float> stored = segments_.view(segment).stored;
    for (std::size_t at = 0; at < stored.size(); at += others.mean.size()) {
      mahalanobis.run(stored.subspan(at, others.mean.size()), distances, pool_);
      scores.push_back(upsampler.run(distances, map));
      medians.push_back(median_distance(distances, counts, sorted));
    }
    log(LogLevel::debug, "segment " + std::to_string(segment + 1) + " of " + std::to_string(segments_.size()) + ": " +
                             std::to_string(stored.size() / others.mean.size()) +
                             " frames scored by the model of the others");
  }

  Segments segments_;
  ModelInfo info_;
  WorkerPool& pool_;
  const std::function<bool(double)>& progress_;
  std::shared_ptr<Gaussian> merged_;  // null until segments had to be merged
};

std::string report(const Model& model, double calibration_ms, double whitening_ms) {
  const ModelInfo& info = model.info();
  return "model computed from " + std::to_string(info.frames) + " frames in " +
         std::to_string(ModelTensors::of(model).segments->size()) + " segments: threshold " +
         short_text(info.calibration.threshold) + " (rule " + info.calibration.rule + "), epsilon " +
         short_text(info.epsilon) + "; threshold took " + short_text(calibration_ms) + " ms, whitening " +
         short_text(whitening_ms) + " ms, model " + model.id();
}

}  // namespace

Model finish_model(const Segments& segments, ModelInfo info, Projection projection, ThresholdPolicy policy,
                   WorkerPool& pool, const std::function<bool(double)>& progress) {
  auto all = std::make_shared<Segments>(segments);
  all->flush(pool);
  Finishing finishing(*all, std::move(info), pool, progress);
  Stopwatch watch;
  finishing.choose_epsilon();
  if (policy == ThresholdPolicy::calibrate) finishing.calibrate_threshold();
  const double calibration_ms = watch.lap();
  Model model = finishing.model(std::move(all), std::move(projection));
  log(LogLevel::info, [&] { return report(model, calibration_ms, watch.lap()); });
  return model;
}

}  // namespace padim
