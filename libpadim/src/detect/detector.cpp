// Orchestration of detection: frame -> image pipeline -> Mahalanobis -> score map -> regions.

#include "padim/detector.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "embedding/image_pipeline.h"
#include "image/mask.h"
#include "model/compatibility.h"
#include "padim/error.h"
#include "score/regions.h"
#include "score/upsampling.h"
#include "statistics/mahalanobis.h"

namespace padim {
namespace {

std::vector<std::uint8_t> mask_of(const Geometry& geometry, const DetectorOptions& options) {
  if (options.mask.values.empty()) return geometry.mask;
  return both(geometry.mask, resolve_mask(options.mask, geometry));
}

}  // namespace

struct Detector::Impl {
  Impl(const std::shared_ptr<const Backbone>& backbone, Model fitted, const DetectorOptions& options)
      : model(std::move(fitted)),
        network(backbone_for(model.info(), *backbone)),
        pool(std::max(options.threads, 1)),
        pipeline(network, model.info().geometry, make_embedding(model.info(), model.projection()), 1,
                 std::max(options.threads, 1)),
        mahalanobis(model.mean(), model.whitener(), model.info().positions, model.info().dimensions,
                    model.info().search_radius),
        mapper(model.info().positions, model.info().geometry.input, mask_of(model.info().geometry, options)),
        distances(static_cast<std::size_t>(model.info().positions.width) *
                  static_cast<std::size_t>(model.info().positions.height)) {
    if (pipeline.positions() != model.info().positions || pipeline.dimensions() != model.info().dimensions) {
      throw Error(ErrorCode::bad_format,
                  "the model contradicts itself: its patch grid does not follow from its input size");
    }
  }

  void score(const ImageView& image) {
    embedding = {};
    pipeline.clear();
    detection.mapping = pipeline.push(image);
    frame = {image.width, image.height};
    float raw = 0;
    pipeline.run(pool, [&](std::span<const float> embedded) {
      embedding = embedded;
      mahalanobis.run(embedded, distances, pool);
      raw = mapper.run(distances, detection.map);
    });
    if (!std::isfinite(raw)) {
      throw Error(ErrorCode::numeric, "the backbone's output for this frame is not finite; try precision float32");
    }
    detection.raw_score = static_cast<double>(raw);
  }

  void judge(double threshold, const RegionLimits& limits) {
    if (!(threshold >= 0 && threshold <= 1)) {
      throw Error(ErrorCode::invalid_argument, "threshold must be 0..1; 0.5 is the calibrated one");
    }
    if (limits.count < 1 || !(limits.area >= 0 && limits.area <= 1)) {
      throw Error(ErrorCode::invalid_argument, "region limits must be 1 or more regions, and an area of 0..1");
    }
    detection.calibrated = model.info().calibration.threshold;
    detection.threshold = threshold;
    detection.score = shown_score(detection.raw_score, detection.calibrated);
    // The raw score decides, so that frames and regions agree to the last bit.
    const double raw_threshold = raw_score(threshold, detection.calibrated);
    detection.anomalous = detection.raw_score >= raw_threshold;
    detection.regions.clear();
    if (!detection.anomalous) return;
    find_regions(detection.map, raw_threshold, detection.calibrated, detection.mapping, frame, limits,
                 detection.regions);
  }

  Model model;
  std::shared_ptr<const Backbone> network;  // with the model's taps
  WorkerPool pool;
  ImagePipeline pipeline;
  Mahalanobis mahalanobis;
  ScoreMapper mapper;
  std::vector<float> distances;      // [P]
  Size frame;                        // the latest one
  std::span<const float> embedding;  // of the latest frame, in the pipeline
  Detection detection;
};

Detector::Detector(std::shared_ptr<const Backbone> backbone, Model model, DetectorOptions options)
    : impl_(std::make_unique<Impl>(backbone, std::move(model), options)) {}
Detector::~Detector() = default;
Detector::Detector(Detector&&) noexcept = default;
Detector& Detector::operator=(Detector&&) noexcept = default;

const Detection& Detector::detect(const ImageView& frame, double threshold, const RegionLimits& limits) {
  impl_->score(frame);
  impl_->judge(threshold, limits);
  return impl_->detection;
}

const Detection& Detector::judge(double threshold, const RegionLimits& limits) {
  if (impl_->frame == Size{})
    throw Error(ErrorCode::invalid_argument, "no frame was detected yet: call detect() first");
  impl_->judge(threshold, limits);
  return impl_->detection;
}

std::span<const float> Detector::embedding() const { return impl_->embedding; }

const Model& Detector::model() const { return impl_->model; }

}  // namespace padim
