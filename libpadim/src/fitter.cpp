// Orchestration of a fit: frame -> image pipeline -> segments -> model.

#include "padim/fitter.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "augmentation.h"
#include "channel_selection.h"
#include "compatibility.h"
#include "completion.h"
#include "image_pipeline.h"
#include "model_tensors.h"
#include "padim/error.h"
#include "segments.h"

namespace padim {
namespace {

constexpr int kMaximumRadius = 4;
constexpr int kMaximumCopies = 16;
constexpr int kGpuBatch = 8;

void require(bool ok, const std::string& message) {
  if (!ok) throw Error(ErrorCode::invalid_argument, message);
}

int channel_count(const BackboneInfo& backbone) {
  return std::accumulate(backbone.taps.begin(), backbone.taps.end(), 0,
                         [](int sum, const TapInfo& tap) { return sum + tap.channels; });
}

void check(const FitOptions& options, const BackboneInfo& backbone) {
  const int channels = channel_count(backbone);
  require(!options.false_alarm_rate || (*options.false_alarm_rate > 0 && *options.false_alarm_rate <= 0.5),
          "false-alarm rate must be above 0 and at most 0.5");
  require(options.search_radius >= 0 && options.search_radius <= kMaximumRadius,
          "search radius must be 0..4 positions");
  require(!options.epsilon || (*options.epsilon > 0 && std::isfinite(*options.epsilon)), "epsilon must be above 0");
  require(!options.relative_epsilon || (*options.relative_epsilon > 0 && std::isfinite(*options.relative_epsilon)),
          "relative epsilon must be above 0");
  require(options.batch_size >= 0 && options.batch_size <= 256, "batch size must be 0 (automatic) to 256");
  require(options.augment >= 0 && options.augment <= kMaximumCopies, "augmented copies must be 0..16");
  require(options.reduction == ReductionKind::none || (options.dimensions >= 1 && options.dimensions <= channels),
          "dimensions must be 1.." + std::to_string(channels) + ", the channels of backbone " + backbone.name);
}

Reduction make_reduction(const FitOptions& options, const BackboneInfo& backbone) {
  const int all = channel_count(backbone);
  if (options.reduction == ReductionKind::random) {
    return {options.reduction, options.seed, sample_channels(options.seed, all, options.dimensions)};
  }
  Reduction reduction{options.reduction, options.seed, std::vector<int>(static_cast<std::size_t>(all))};
  std::iota(reduction.channels.begin(), reduction.channels.end(), 0);
  return reduction;
}

int batch_size(const FitOptions& options, const BackboneInfo& backbone, const WorkerPool& pool) {
  if (options.batch_size > 0) return options.batch_size;
  return backbone.device == "cpu" ? pool.threads() : kGpuBatch;
}

// The part of a model's description that is known before the first frame.
ModelInfo describe_fit(const FitOptions& options, const BackboneInfo& backbone) {
  ModelInfo info;
  info.backbone = backbone.name;
  info.weights_sha256 = backbone.weights_sha256;
  info.taps = backbone.taps;
  info.grid = options.grid;
  info.reduction = make_reduction(options, backbone);
  info.search_radius = options.search_radius;
  info.calibration.false_alarm_rate = options.false_alarm_rate.value_or(0);
  if (options.epsilon) {
    info.epsilon = *options.epsilon;
  } else if (options.relative_epsilon || backbone.epsilon_is_relative) {
    info.relative_epsilon = options.relative_epsilon.value_or(backbone.epsilon);
  } else {
    info.epsilon = backbone.epsilon;
  }
  return info;
}

const Segments& segments_of(const Model& model) {
  if (model.resumable()) return *model.tensors().segments;
  throw Error(
      ErrorCode::invalid_argument,
      "model " + model.id() + " was stripped of its statistics, so its fit cannot go on: fit again, and keep them");
}

// What a fit needs once the first frame has told the geometry.
struct Session {
  Session(ImagePipeline images, Segments seen) : pipeline(std::move(images)), segments(std::move(seen)) {}

  ImagePipeline pipeline;
  Segments segments;
};

}  // namespace

struct Fitter::Impl {
  Impl(std::shared_ptr<const Backbone> network, FitOptions fit_options)
      : backbone(std::move(network)), options(std::move(fit_options)), pool(options.threads) {
    check(options, backbone->info());
    info = describe_fit(options, backbone->info());
  }

  Impl(std::shared_ptr<const Backbone> network, const Model& model, FitOptions fit_options)
      : backbone(std::move(network)), options(std::move(fit_options)), pool(options.threads), info(model.info()) {
    check_belong_together(backbone->info(), info);
    check(options, backbone->info());
    session = std::make_unique<Session>(make_pipeline(), segments_of(model));
  }

  [[nodiscard]] ImagePipeline make_pipeline() {
    const int batch = batch_size(options, backbone->info(), pool);
    return {backbone, info.geometry, info.grid, info.reduction.channels, batch * copies(), 1};
  }

  // What a frame and its augmented copies take in a batch.
  [[nodiscard]] int copies() const { return 1 + options.augment; }

  void open(Size frame) {
    const int multiple = backbone->info().taps.back().stride;
    info.geometry = choose_geometry(options.geometry, options.input_size, frame, multiple);
    ImagePipeline pipeline = make_pipeline();
    info.positions = pipeline.positions();
    info.dimensions = pipeline.dimensions();
    const int positions = info.positions.width * info.positions.height;
    const auto limits = segment_limits(info, options.max_statistics_bytes);
    session = std::make_unique<Session>(std::move(pipeline), Segments(positions, info.dimensions, limits));
  }

  void add(const ImageView& frame) {
    if (!session) open({frame.width, frame.height});
    if (session->pipeline.full()) run_batch();  // left over from a run that failed
    session->pipeline.push(frame);
    for (int i = 0; i < options.augment; ++i) {
      session->pipeline.push_variant(i + 1, [&](auto from, Size size, auto to) { augmentation.run(from, size, to); });
    }
    if (session->pipeline.full()) run_batch();
  }

  void run_batch() {
    int i = 0;
    session->pipeline.run(pool, [&](std::span<const float> embedding) {
      const auto sample = i++ % copies() == 0 ? Segments::Sample::frame : Segments::Sample::augmented;
      session->segments.append(embedding, sample, pool);
    });
  }

  // Everything that was added so far is in the segments afterwards.
  Segments& segments() {
    if (!session) throw Error(ErrorCode::numeric, "the fit has not seen a frame yet");
    run_batch();
    return session->segments;
  }

  ModelJob prepare(Threshold threshold) {
    // Statistics with a pending update would be copied by the job.
    segments().flush(pool);
    return [segments = session->segments, info = info, threads = options.threads,
            threshold](const std::function<bool(double)>& progress) {
      WorkerPool workers(threads);
      return complete_model(segments, info, threshold, workers, progress);
    };
  }

  [[nodiscard]] std::int64_t frames() const {
    return session ? session->segments.frames() + session->pipeline.pending() / copies() : 0;
  }

  std::shared_ptr<const Backbone> backbone;
  FitOptions options;
  WorkerPool pool;
  ModelInfo info;  // as complete_model() takes it; geometry, positions and dimensions once there is a session
  Augmentation augmentation{options.seed};
  std::unique_ptr<Session> session;
};

Model merge(const Model& a, const Model& b, const std::function<bool(double)>& progress) {
  check_mergeable(a.info(), b.info());
  WorkerPool pool(FitOptions{}.threads);
  Segments segments = segments_of(a);
  segments.absorb(segments_of(b), pool);
  return complete_model(segments, a.info(), Threshold::calibrate, pool, progress);
}

Fitter::Fitter(std::shared_ptr<const Backbone> backbone, FitOptions options)
    : impl_(std::make_unique<Impl>(std::move(backbone), std::move(options))) {}
Fitter::Fitter(std::shared_ptr<const Backbone> backbone, const Model& model, FitOptions options)
    : impl_(std::make_unique<Impl>(std::move(backbone), model, std::move(options))) {}
Fitter::~Fitter() = default;
Fitter::Fitter(Fitter&&) noexcept = default;
Fitter& Fitter::operator=(Fitter&&) noexcept = default;

void Fitter::add(const ImageView& frame) { impl_->add(frame); }

void Fitter::add_embedding(std::span<const float> embedding) {
  Segments& segments = impl_->segments();
  const auto expected =
      static_cast<std::size_t>(segments.positions()) * static_cast<std::size_t>(segments.dimensions());
  if (embedding.size() != expected) {
    throw Error(ErrorCode::mismatch, "an embedding of " + std::to_string(embedding.size()) +
                                         " values does not fit the model's " + std::to_string(expected));
  }
  segments.append(embedding, Segments::Sample::frame, impl_->pool);
}

void Fitter::begin_stretch() { impl_->segments().begin_stretch(); }

void Fitter::end_stretch() { impl_->segments().close_segment(); }

void Fitter::forget(double factor) {
  require(factor > 0 && factor <= 1, "the factor of forgetting must be above 0 and at most 1");
  impl_->segments().forget(factor);
}

void Fitter::adopt_threshold(const Calibration& calibration) { impl_->info.calibration = calibration; }

std::int64_t Fitter::frames() const { return impl_->frames(); }

ModelJob Fitter::prepare(Threshold threshold) { return impl_->prepare(threshold); }

Model Fitter::finish(const std::function<bool(double)>& progress) {
  return impl_->prepare(Threshold::calibrate)(progress);
}

}  // namespace padim
