// Orchestration of a fit: frame -> image pipeline -> segments -> model.

#include "padim/fitter.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/range_check.h"
#include "embedding/channel_selection.h"
#include "embedding/image_pipeline.h"
#include "embedding/semi_orthogonal.h"
#include "fit/basis_pass.h"
#include "fit/blank_probe.h"
#include "fit/embedding_fit.h"
#include "image/augmentation.h"
#include "model/compatibility.h"
#include "model/tensors.h"
#include "padim/error.h"

namespace padim {
namespace {

constexpr int kGpuBatch = 8;
constexpr int kRotatedCopies = 8;

void require(bool ok, const std::string& message) {
  if (!ok) throw Error(ErrorCode::invalid_argument, message);
}

// The backbone with only the taps named.
std::shared_ptr<const Backbone> with_named_taps(const std::shared_ptr<const Backbone>& backbone,
                                                const std::vector<std::string>& names) {
  if (names.empty()) return backbone;
  const std::vector<TapInfo>& taps = backbone->info().taps;
  std::string known;
  std::vector<int> chosen;
  for (std::size_t t = 0; t < taps.size(); ++t) {
    known += (known.empty() ? "" : ", ") + taps[t].name;
    if (std::ranges::find(names, taps[t].name) != names.end()) chosen.push_back(static_cast<int>(t));
  }
  for (const std::string& name : names) {
    require(std::ranges::find(taps, name, &TapInfo::name) != taps.end(),
            "backbone " + backbone->info().name + " has no tap '" + name + "': it has " + known);
  }
  require(chosen.size() == names.size(), "a tap is named twice");
  return backbone->with_taps(chosen);
}

int channel_count(const BackboneInfo& backbone) {
  return std::accumulate(backbone.taps.begin(), backbone.taps.end(), 0,
                         [](int sum, const TapInfo& tap) { return sum + tap.channels; });
}

// Before anything is made of them: a thread, say.
FitOptions checked(FitOptions options, const BackboneInfo& backbone) {
  const int channels = channel_count(backbone);
  if (options.false_alarm_rate) check_range("false-alarm rate", *options.false_alarm_rate, kFalseAlarmRate);
  if (options.epsilon) check_range("epsilon", *options.epsilon, kEpsilon);
  if (options.relative_epsilon) check_range("relative epsilon", *options.relative_epsilon, kEpsilon);
  if (options.prior) check_range("prior", *options.prior, kPrior);
  if (options.sample_bits != 0) check_range("number of bits in use", options.sample_bits, kSampleBits);
  check_range("search radius", options.search_radius, kSearchRadius);
  check_range("seed", options.seed, kSeed);
  check_range("batch size", options.batch_size, kBatchSize);
  check_range("number of augmented copies", options.augment, kAugment);
  check_range("number of threads", options.threads, kThreads);
  require(options.reduction == ReductionKind::none || (options.dimensions >= 1 && options.dimensions <= channels),
          "dimensions must be 1.." + std::to_string(channels) + ", the channels of backbone " + backbone.name);
  return options;
}

std::vector<int> all_channels(const BackboneInfo& backbone) {
  std::vector<int> channels(static_cast<std::size_t>(channel_count(backbone)));
  std::iota(channels.begin(), channels.end(), 0);
  return channels;
}

Reduction make_reduction(const FitOptions& options, const BackboneInfo& backbone) {
  Reduction reduction{options.reduction, options.seed, {}};
  if (options.reduction == ReductionKind::none) reduction.channels = all_channels(backbone);
  if (options.reduction == ReductionKind::random) {
    reduction.channels = sample_channels(options.seed, channel_count(backbone), options.dimensions);
  }
  return reduction;
}

Projection own(std::vector<float> matrix) {
  auto owner = std::make_shared<const std::vector<float>>(std::move(matrix));
  return {*owner, owner};
}

int batch_size(const FitOptions& options, const BackboneInfo& backbone, const WorkerPool& pool) {
  if (options.batch_size > 0) return options.batch_size;
  return backbone.device == "cpu" ? pool.threads() : kGpuBatch;
}

int copies_of(const FitOptions& options) {
  if (options.augment >= 0) return options.augment;
  if (options.augment_kind == AugmentKind::rotate) return kRotatedCopies;
  return options.source == SourceKind::stream ? 1 : 0;
}

// The part of a model's description that is known before the first frame.
ModelInfo describe_fit(const FitOptions& options, const BackboneInfo& backbone) {
  ModelInfo info;
  info.backbone = backbone.name;
  info.weights_sha256 = backbone.weights_sha256;
  info.taps = backbone.taps;
  info.grid = options.grid;
  info.reduction = make_reduction(options, backbone);
  info.dimensions = options.reduction == ReductionKind::none ? channel_count(backbone) : options.dimensions;
  info.search_radius = options.search_radius;
  info.prior = options.prior.value_or(backbone.prior);
  info.augment = copies_of(options);
  info.augment_kind = options.augment_kind;
  info.sample_bits = options.sample_bits;
  info.calibration.source = options.source;
  info.calibration.false_alarm_rate = options.false_alarm_rate.value_or(0);
  info.scene.emplace();
  if (options.epsilon) {
    info.epsilon = *options.epsilon;
  } else if (options.relative_epsilon || backbone.epsilon_is_relative) {
    info.relative_epsilon = options.relative_epsilon.value_or(backbone.epsilon);
  } else {
    info.epsilon = backbone.epsilon;
  }
  return info;
}

// What a fit needs once the first frame has told the geometry.
struct Session {
  Session(ImagePipeline images, EmbeddingFit seen, const Geometry& geometry)
      : pipeline(std::move(images)), fit(std::move(seen)), onlooker(geometry.input, geometry.mask) {}

  ImagePipeline pipeline;
  EmbeddingFit fit;
  Onlooker onlooker;
};

}  // namespace

struct Fitter::Impl {
  Impl(const std::shared_ptr<const Backbone>& network, FitOptions fit_options)
      : backbone(with_named_taps(network, fit_options.taps)),
        options(checked(std::move(fit_options), backbone->info())),
        pool(options.threads),
        info(describe_fit(options, backbone->info())) {
    if (info.reduction.kind == ReductionKind::semi_orthogonal) {
      projection = own(semi_orthogonal(options.seed, channel_count(backbone->info()), info.dimensions));
    }
  }

  Impl(const Backbone& network, const Model& model, FitOptions fit_options)
      : backbone(backbone_for(model.info(), network)),
        options(checked(std::move(fit_options), backbone->info())),
        pool(options.threads),
        info(model.info()),
        projection(ModelTensors::of(model).projection) {
    if (options.augment >= 0) info.augment = options.augment;
    session =
        std::make_unique<Session>(make_pipeline(), EmbeddingFit(model, options.max_statistics_bytes), info.geometry);
    session->fit.expect_copies(info.augment);
    augmentation = Augmentation(options.seed + static_cast<std::uint64_t>(session->fit.frames()));  // other copies
    examine();
  }

  [[nodiscard]] int batch() const { return batch_size(options, backbone->info(), pool); }

  [[nodiscard]] ImagePipeline make_pipeline() const {
    return {backbone, info.geometry, make_embedding(info, projection.matrix), batch() * copies()};
  }

  // What a frame and its augmented copies take in a batch.
  [[nodiscard]] int copies() const { return 1 + info.augment; }

  void choose_geometry(Size frame) {
    const int multiple = backbone->info().taps.back().stride;
    info.geometry =
        padim::choose_geometry(options.geometry, options.input_size, frame, multiple, options.roi, options.mask);
  }

  void open() {
    ImagePipeline pipeline = make_pipeline();
    info.positions = pipeline.positions();
    session = std::make_unique<Session>(std::move(pipeline),
                                        EmbeddingFit(info, projection, options.max_statistics_bytes), info.geometry);
    examine();
  }

  // Raw scores are compared as they are, without a look at what was shown.
  void examine() {
    if (info.calibration.false_alarm_rate == 0) return;
    const bool drop = options.drop_outliers.value_or(info.calibration.source == SourceKind::stream);
    session->fit.examine(drop ? Intake::OutlierPolicy::drop : Intake::OutlierPolicy::name);
  }

  [[nodiscard]] bool needs_basis() const {
    return info.reduction.kind == ReductionKind::pca && projection.matrix.empty();
  }

  [[nodiscard]] bool wants_first_pass() const { return needs_basis() && (!basis_pass || basis_pass->kept() == 0); }

  BasisPass& open_basis_pass(Size frame) {
    if (!basis_pass) {
      choose_geometry(frame);
      Embedding embedding(info.taps, info.grid, all_channels(backbone->info()));
      ImagePipeline pipeline(backbone, info.geometry, std::move(embedding), batch());
      basis_pass = std::make_unique<BasisPass>(std::move(pipeline), pool);
    }
    return *basis_pass;
  }

  void observe(const ImageView& frame) {
    require(wants_first_pass(), "a first pass is for reduction pca, before the first frame is added");
    open_basis_pass({frame.width, frame.height}).observe(frame, pool);
    observed = true;
  }

  // From here on the fit goes on as with any other reduction.
  void learn_basis() {
    projection = own(basis_pass->basis(info.dimensions, pool));
    const auto pass = std::exchange(basis_pass, nullptr);
    open();
    for (int i = 0; i < pass->kept(); ++i) {
      push(pass->name(i), [&](ImagePipeline& pipeline) { pipeline.push_image(pass->image(i)); });
    }
  }

  void add(const ImageView& frame, const std::string& name) {
    if (needs_basis() && !observed) {
      open_basis_pass({frame.width, frame.height}).observe_and_keep(frame, name, pool);
      if (basis_pass->kept() == kBasisFrames) learn_basis();
      return;
    }
    if (needs_basis()) learn_basis();
    if (!session) {
      choose_geometry({frame.width, frame.height});
      open();
    }
    push(name, [&](ImagePipeline& pipeline) { pipeline.push(frame); });
  }

  // Takes an image and its augmented copies.
  template <class Push>
  void push(std::string name, const Push& push_image) {
    if (session->pipeline.full()) run_batch();  // left over from a run that failed
    push_image(session->pipeline);
    const Look look = session->onlooker.look(session->pipeline.last_image());
    session->fit.saw(look);
    waiting.push_back({std::move(name), blank_cause(look.appearance, {}) != SceneCause::none});
    for (int i = 0; i < info.augment; ++i) {
      session->pipeline.push_variant(i + 1, [&](auto from, Size size, auto to) {
        if (info.augment_kind == AugmentKind::light) {
          augmentation.vary(from, size, to);
        } else {
          augmentation.turn(from, size, to);
        }
      });
    }
    if (session->pipeline.full()) run_batch();
  }

  void run_batch() {
    int i = 0;
    session->pipeline.run(pool, [&](std::span<const float> embedding) {
      const bool real = i % copies() == 0;
      Intake::About about = real ? waiting[static_cast<std::size_t>(i / copies())] : Intake::About{};
      ++i;
      session->fit.add(embedding, real ? Segments::Kind::real : Segments::Kind::augmented, pool, std::move(about));
    });
    waiting.clear();
  }

  Model finish(const std::function<bool(double)>& progress) {
    if (needs_basis() && basis_pass) learn_basis();
    if (!session) throw Error(ErrorCode::numeric, "the fit has not seen a frame yet");
    run_batch();
    const Model model = session->fit.prepare(ThresholdPolicy::calibrate, options.threads, pool)(progress);
    return blank_probe(session->pipeline, model, pool);
  }

  [[nodiscard]] std::int64_t frames() const {
    if (session) return session->fit.frames() + session->pipeline.pending() / copies();
    return basis_pass ? basis_pass->kept() : 0;
  }

  std::shared_ptr<const Backbone> backbone;
  FitOptions options;
  WorkerPool pool;
  ModelInfo info;         // as finish_model() takes it; geometry and positions once there is a session
  Projection projection;  // of reduction pca: once there is a session
  std::unique_ptr<BasisPass> basis_pass;
  std::vector<Intake::About> waiting;  // in the pipeline
  bool observed = false;               // by a first pass of the caller's
  Augmentation augmentation{options.seed};
  std::unique_ptr<Session> session;
};

Model merge(const Model& a, const Model& b, const std::function<bool(double)>& progress) {
  check_mergeable(a, b);
  const int threads = FitOptions{}.threads;
  WorkerPool pool(threads);
  EmbeddingFit fit(a, kMaximumStatisticsBytes);
  fit.absorb(b, pool);
  return fit.prepare(ThresholdPolicy::calibrate, threads, pool)(progress);
}

Fitter::Fitter(std::shared_ptr<const Backbone> backbone, FitOptions options)
    : impl_(std::make_unique<Impl>(backbone, std::move(options))) {}
Fitter::Fitter(std::shared_ptr<const Backbone> backbone, const Model& model, FitOptions options)
    : impl_(std::make_unique<Impl>(*backbone, model, std::move(options))) {}
Fitter::~Fitter() = default;
Fitter::Fitter(Fitter&&) noexcept = default;
Fitter& Fitter::operator=(Fitter&&) noexcept = default;

bool Fitter::wants_first_pass() const { return impl_->wants_first_pass(); }

void Fitter::observe(const ImageView& frame) { impl_->observe(frame); }

void Fitter::add(const ImageView& frame, const std::string& name) { impl_->add(frame, name); }

std::int64_t Fitter::frames() const { return impl_->frames(); }

Model Fitter::finish(const std::function<bool(double)>& progress) { return impl_->finish(progress); }

}  // namespace padim
