// Orchestration of a fit: frame -> image pipeline -> segments; at the end each segment's stored embeddings are scored
// by the model of all other segments (block cross-calibration), and the model that is kept is the merge of all.

#include "padim/fitter.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "calibration.h"
#include "channel_selection.h"
#include "gaussian.h"
#include "image_pipeline.h"
#include "logging.h"
#include "mahalanobis.h"
#include "model_tensors.h"
#include "packed_triangle.h"
#include "padim/error.h"
#include "score_mapping.h"
#include "segments.h"

namespace padim {
namespace {

constexpr int kSegmentPlaces = 8;  // 4 to 8 segments
constexpr int kStoredEmbeddings = 240;
constexpr std::int64_t kStoredBytes = std::int64_t{256} << 20;
constexpr int kMinimumFrames = 4;
constexpr int kMaximumRadius = 4;
constexpr double kSmallestEpsilon = 1e-6;  // for frames that are all alike, such as test patterns
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
  require(options.false_alarm_rate > 0 && options.false_alarm_rate <= 0.5,
          "false-alarm rate must be above 0 and at most 0.5");
  require(options.search_radius >= 0 && options.search_radius <= kMaximumRadius,
          "search radius must be 0..4 positions");
  require(!options.epsilon || (*options.epsilon > 0 && std::isfinite(*options.epsilon)), "epsilon must be above 0");
  require(!options.relative_epsilon || (*options.relative_epsilon > 0 && std::isfinite(*options.relative_epsilon)),
          "relative epsilon must be above 0");
  require(options.batch_size >= 0 && options.batch_size <= 256, "batch size must be 0 (automatic) to 256");
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

// Places for segments that fit the memory allowed, beside one more set of statistics for the merges.
Segments::Limits segment_limits(int positions, int dimensions, std::int64_t allowed) {
  const std::int64_t each = Gaussian::bytes(positions, dimensions);
  int places = kSegmentPlaces;
  if ((places + 1) * each > allowed) places = 4;
  if ((places + 1) * each > allowed) {
    places = 3;
    log(LogLevel::warning, "the statistics of one calibration segment take " + std::to_string(each >> 20) +
                               " MiB: only two or three segments are kept, so the threshold is less certain");
  }
  const auto embedding = static_cast<std::int64_t>(sizeof(float)) * positions * dimensions;
  return {places, static_cast<int>(std::clamp<std::int64_t>(kStoredBytes / embedding, 2 * places, kStoredEmbeddings))};
}

// What a fit needs once the first frame has told the geometry.
struct Session {
  Geometry geometry;
  ImagePipeline pipeline;
  Segments segments;
};

// A model's arrays after a fit.
struct FittedArrays {
  Gaussian statistics;
  std::vector<std::uint16_t> whitener;
};

}  // namespace

struct Fitter::Impl {
  Impl(std::shared_ptr<const Backbone> network, FitOptions fit_options)
      : backbone(std::move(network)), options(std::move(fit_options)), pool(options.threads) {
    check(options, backbone->info());
    reduction = make_reduction(options, backbone->info());
  }

  void open(Size frame) {
    const BackboneInfo& info = backbone->info();
    const Geometry geometry = choose_geometry(options.geometry, options.input_size, frame, info.taps.back().stride);
    ImagePipeline pipeline(backbone, geometry, options.grid, reduction.channels, batch_size(options, info, pool), 1);
    const Size grid = pipeline.positions();
    const int positions = grid.width * grid.height;
    const auto limits = segment_limits(positions, pipeline.dimensions(), options.max_statistics_bytes);
    Segments segments(positions, pipeline.dimensions(), limits);
    session = std::make_unique<Session>(Session{geometry, std::move(pipeline), std::move(segments)});
  }

  void run_batch() {
    session->pipeline.run(pool, [&](std::span<const float> embedding) { session->segments.append(embedding, pool); });
  }

  [[nodiscard]] double epsilon(const Gaussian& statistics) const {
    const BackboneInfo& info = backbone->info();
    if (options.epsilon) return *options.epsilon;
    if (!options.relative_epsilon && !info.epsilon_is_relative) return info.epsilon;
    return std::max(relative_epsilon() * statistics.mean_variance(), kSmallestEpsilon);
  }

  [[nodiscard]] double relative_epsilon() const {
    const BackboneInfo& info = backbone->info();
    if (options.epsilon) return 0;
    if (options.relative_epsilon) return *options.relative_epsilon;
    return info.epsilon_is_relative ? info.epsilon : 0;
  }

  // Raw image scores of a segment's stored frames by the model of all others.
  void score_held_out(int segment, double eps, Gaussian& others, std::vector<float>& scores) {
    const Segments& segments = session->segments;
    segments.merge_all_but(segment, others, pool);
    const auto whitener = whiten(others, eps, pool);
    const Size grid = session->pipeline.positions();
    Mahalanobis mahalanobis(others.mean(), whitener, grid, others.dimensions(), options.search_radius);
    ScoreMapper mapper(grid, session->geometry.input);
    ScoreMap map;
    std::vector<float> distances(static_cast<std::size_t>(others.positions()));
    const std::span<const float> stored = segments.stored(segment);
    const std::size_t size = others.mean().size();
    for (std::size_t at = 0; at < stored.size(); at += size) {
      mahalanobis.run(stored.subspan(at, size), distances, pool);
      scores.push_back(mapper.run(distances, map));
    }
  }

  [[nodiscard]] ModelInfo describe_model(const Gaussian& statistics, double eps) const {
    ModelInfo info;
    info.backbone = backbone->info().name;
    info.weights_sha256 = backbone->info().weights_sha256;
    info.taps = backbone->info().taps;
    info.grid = options.grid;
    info.reduction = reduction;
    info.geometry = session->geometry;
    info.positions = session->pipeline.positions();
    info.dimensions = statistics.dimensions();
    info.epsilon = eps;
    info.relative_epsilon = relative_epsilon();
    info.search_radius = options.search_radius;
    info.frames = statistics.count();
    return info;
  }

  Model finish(const std::function<bool(double)>& progress) {
    const std::int64_t count = frames();
    if (count < kMinimumFrames) {
      throw Error(ErrorCode::numeric, "a fit needs at least " + std::to_string(kMinimumFrames) + " frames; " +
                                          std::to_string(count) + " were given");
    }
    run_batch();
    session->segments.settle(pool);
    const int segments = session->segments.size();
    const auto step = [&](int done) {
      if (progress && !progress(static_cast<double>(done) / (segments + 1))) {
        throw Error(ErrorCode::cancelled, "the fit was stopped before it was complete");
      }
    };
    const Size grid = session->pipeline.positions();
    auto arrays = std::make_shared<FittedArrays>(
        FittedArrays{Gaussian(grid.width * grid.height, session->pipeline.dimensions()), {}});
    Gaussian& statistics = arrays->statistics;
    session->segments.merge_all_but(-1, statistics, pool);
    const double eps = epsilon(statistics);
    std::vector<float> scores;
    for (int k = 0; k < segments; ++k) {
      step(k);
      score_held_out(k, eps, statistics, scores);
    }
    step(segments);
    session->segments.merge_all_but(-1, statistics, pool);
    arrays->whitener = whiten(statistics, eps, pool);
    ModelInfo info = describe_model(statistics, eps);
    info.calibration = calibrate(std::move(scores), segments, options.false_alarm_rate);
    auto tensors = std::make_shared<Model::Tensors>();
    const std::size_t elements = arrays->whitener.size() - kTrianglePadding;
    *tensors = {statistics.mean(), std::span(arrays->whitener).first(elements), statistics.comoment(), arrays};
    step(segments + 1);
    return Model(std::move(info), std::move(tensors));
  }

  [[nodiscard]] std::int64_t frames() const {
    return session ? session->segments.frames() + session->pipeline.pending() : 0;
  }

  std::shared_ptr<const Backbone> backbone;
  FitOptions options;
  WorkerPool pool;
  Reduction reduction;
  std::unique_ptr<Session> session;
};

Fitter::Fitter(std::shared_ptr<const Backbone> backbone, FitOptions options)
    : impl_(std::make_unique<Impl>(std::move(backbone), std::move(options))) {}
Fitter::~Fitter() = default;
Fitter::Fitter(Fitter&&) noexcept = default;
Fitter& Fitter::operator=(Fitter&&) noexcept = default;

void Fitter::add(const ImageView& frame) {
  if (!impl_->session) impl_->open({frame.width, frame.height});
  if (impl_->session->pipeline.full()) impl_->run_batch();  // left over from a run that failed
  impl_->session->pipeline.push(frame);
  if (impl_->session->pipeline.full()) impl_->run_batch();
}

std::int64_t Fitter::frames() const { return impl_->frames(); }

Model Fitter::finish(const std::function<bool(double)>& progress) { return impl_->finish(progress); }

}  // namespace padim
