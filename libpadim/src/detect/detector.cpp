// Orchestration of detection: frame -> image pipeline -> Mahalanobis -> score map -> regions.

#include "padim/detector.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/logging.h"
#include "base/range_check.h"
#include "base/stopwatch.h"
#include "detect/thread_choice.h"
#include "embedding/image_pipeline.h"
#include "image/mask.h"
#include "model/compatibility.h"
#include "padim/error.h"
#include "scene/appearance.h"
#include "scene/limits.h"
#include "score/regions.h"
#include "score/upsampling.h"
#include "statistics/mahalanobis.h"

namespace padim {
namespace {

bool same_network(const ModelInfo& a, const ModelInfo& b) {
  return a.backbone == b.backbone && a.weights_sha256 == b.weights_sha256 && a.taps == b.taps;
}

bool same_stages(const Model& one, const Model& other) {
  const ModelInfo& a = one.info();
  const ModelInfo& b = other.info();
  return same_network(a, b) && a.grid == b.grid && a.reduction == b.reduction && a.dimensions == b.dimensions &&
         a.geometry == b.geometry && a.positions == b.positions &&
         std::ranges::equal(one.projection(), other.projection());
}

std::vector<std::uint8_t> mask_of(const Geometry& geometry, const DetectorOptions& options) {
  if (options.mask.values.empty()) return geometry.mask;
  return intersection(geometry.mask, resolve_mask(options.mask, geometry));
}

int thread_count(const DetectorOptions& options) {
  check_range("number of threads", options.threads, kThreads);
  return std::max(options.threads, 1);
}

// What serves all models that differ in their Gaussians alone.
struct Stages {
  Stages(const std::shared_ptr<const Backbone>& network, const Model& model, const DetectorOptions& options)
      : Stages(network, model, mask_of(model.info().geometry, options)) {}

  Stages(const std::shared_ptr<const Backbone>& network, const Model& model, const std::vector<std::uint8_t>& mask)
      : pipeline(network, model.info().geometry, make_embedding(model.info(), model.projection()), 1),
        onlooker(model.info().geometry.input, mask),
        upsampler(model.info().positions, model.info().geometry.input, mask),
        counts(counting_positions(mask, model.info().geometry.input, model.info().positions)),
        distances(static_cast<std::size_t>(model.info().positions.width) *
                  static_cast<std::size_t>(model.info().positions.height)) {
    if (pipeline.positions() != model.info().positions || pipeline.dimensions() != model.info().dimensions) {
      throw Error(ErrorCode::bad_format,
                  "the model contradicts itself: its patch grid does not follow from its input size");
    }
  }

  ImagePipeline pipeline;
  Onlooker onlooker;
  Upsampler upsampler;
  std::vector<std::uint8_t> counts;  // [P]; empty: all positions do
  std::vector<float> distances;      // [P]
  std::vector<float> sorted;         // scratch of the median
};

Mahalanobis mahalanobis_of(const Model& model) {
  const ModelInfo& info = model.info();
  return {model.mean(), model.whitener(), info.positions, info.dimensions, info.search_radius};
}

}  // namespace

struct Detector::Impl {
  Impl(std::shared_ptr<const Backbone> whole, Model fitted, DetectorOptions how)
      : options(std::move(how)),
        backbone(std::move(whole)),
        model(std::move(fitted)),
        network(backbone_for(model.info(), *backbone)),
        pool(thread_count(options)),
        choice(pool.threads()),
        stages(std::make_unique<Stages>(network, model, options)),
        mahalanobis(mahalanobis_of(model)) {
    log(LogLevel::info, [&] {
      const ModelInfo& info = model.info();
      return "frames are scored with model " + model.id() + ", threshold " + short_text(info.calibration.threshold) +
             ": network input " + to_string(info.geometry.input) + ", " + to_string(info.positions) + " positions of " +
             std::to_string(info.dimensions) + " dimensions, " + std::to_string(pool.threads()) + " threads";
    });
  }

  // Whatever may throw comes first, and changes nothing.
  void replace(Model next) {
    auto next_network = same_network(model.info(), next.info()) ? network : backbone_for(next.info(), *backbone);
    auto next_stages = same_stages(model, next) ? nullptr : std::make_unique<Stages>(next_network, next, options);
    Mahalanobis next_mahalanobis = mahalanobis_of(next);
    log(LogLevel::debug, [&] {
      return "model " + next.id() + ", threshold " + short_text(next.info().calibration.threshold) + ", replaces " +
             model.id() + (next_stages ? " and its layout" : " and keeps its layout");
    });
    forget_frame();
    if (next_stages) stages = std::move(next_stages);
    network = std::move(next_network);
    mahalanobis = std::move(next_mahalanobis);
    model = std::move(next);
  }

  void forget_frame() {
    frame = {};
    embedding = {};
  }

  void score(const ImageView& image) {
    forget_frame();
    ImagePipeline& pipeline = stages->pipeline;
    pipeline.clear();
    Stopwatch watch;
    detection.mapping = pipeline.push(image);
    const Look look = stages->onlooker.look(pipeline.last_image());
    detection.appearance = look.appearance;
    detection.repeats = look.repeats;
    times.preprocess = watch.lap();
    float raw = 0;
    std::span<const float> latest;
    pipeline.set_network_threads(choice.threads());
    pipeline.run(pool, [&](std::span<const float> embedded) {
      latest = embedded;
      watch.lap();
      mahalanobis.run(embedded, stages->distances, pool);
      times.distances = watch.lap();
      raw = stages->upsampler.run(stages->distances, detection.map);
      times.map = watch.lap();
    });
    times.network = pipeline.network_ms();
    choice.took(times.network);
    times.embedding = pipeline.embedding_ms();
    if (!std::isfinite(raw)) {
      throw Error(ErrorCode::numeric, "the backbone's output for this frame is not finite; try precision float32");
    }
    detection.raw_score = static_cast<double>(raw);
    detection.median_distance = static_cast<double>(median_distance(stages->distances, stages->counts, stages->sorted));
    frame = {image.width, image.height};
    embedding = latest;
  }

  void judge(double threshold, const RegionLimits& limits) {
    check_range("threshold", threshold, kThreshold);
    check_range("number of regions", limits.count, kRegionCount);
    check_range("least area of a region", limits.area, kRegionArea);
    const double calibrated = model.info().calibration.threshold;
    detection.calibrated_threshold = calibrated;
    detection.threshold = threshold;
    detection.score = shown_score(detection.raw_score, calibrated);
    // The raw score decides, so that frames and regions agree to the last bit.
    const double raw_threshold = raw_score(threshold, calibrated);
    detection.anomalous = detection.raw_score >= raw_threshold;
    Stopwatch watch;
    detection.regions.clear();
    if (detection.anomalous) {
      find_regions(detection.map, raw_threshold, calibrated, detection.mapping, frame, limits, detection.regions);
    }
    times.regions = watch.lap();
  }

  DetectorOptions options;
  std::shared_ptr<const Backbone> backbone;
  Model model;
  std::shared_ptr<const Backbone> network;  // with the model's taps
  WorkerPool pool;
  ThreadChoice choice;
  std::unique_ptr<Stages> stages;
  Mahalanobis mahalanobis;
  Size frame;                        // the latest one; 0x0: there is none
  std::span<const float> embedding;  // of the latest frame, in the pipeline
  Detection detection;
  StageTimes times;
};

Detector::Detector(std::shared_ptr<const Backbone> backbone, Model model, DetectorOptions options)
    : impl_(std::make_unique<Impl>(std::move(backbone), std::move(model), std::move(options))) {}
Detector::~Detector() = default;
Detector::Detector(Detector&&) noexcept = default;
Detector& Detector::operator=(Detector&&) noexcept = default;

const Detection& Detector::detect(const ImageView& frame, double threshold, const RegionLimits& limits) {
  impl_->score(frame);
  impl_->judge(threshold, limits);
  return impl_->detection;
}

const Detection& Detector::judge(double threshold, const RegionLimits& limits) {
  if (impl_->frame == Size{}) {
    throw Error(ErrorCode::invalid_argument, "no frame was detected yet with this model: call detect() first");
  }
  impl_->judge(threshold, limits);
  return impl_->detection;
}

void Detector::replace(Model model) { impl_->replace(std::move(model)); }

std::span<const float> Detector::embedding() const { return impl_->embedding; }

const StageTimes& Detector::stage_times() const { return impl_->times; }

const Model& Detector::model() const { return impl_->model; }

}  // namespace padim
