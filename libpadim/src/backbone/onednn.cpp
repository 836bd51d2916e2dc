// Executes a network on oneDNN: what LibTorch calls for each convolution anyway, without what it spends around the
// calls. A plan is made once per input shape: weights in the processor's own layout, activations and sums fused into
// the convolutions, every result written to one of a few buffers that are kept. Of the time of LibTorch's calls three
// quarters went into page faults of fresh tensors, clamps, paddings and copies (docs/decisions/0008). Activations are
// channels last. Must match torchvision's modules to 1e-5 of the largest value in float32.

#include <omp.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <dnnl.hpp>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "backbone/engines.h"
#include "backbone/parts.h"
#include "padim/error.h"

namespace padim {
namespace {

using dnnl::memory;
using Type = memory::data_type;
using Tag = memory::format_tag;

constexpr int kBuffers = 3;  // a layer's source, its target and the block's shortcut
constexpr std::size_t kIdlePlans = 8;

template <class Body>
auto translated(const char* doing, const Body& body) {
  try {
    return body();
  } catch (const dnnl::error& error) {
    throw Error(ErrorCode::internal, std::string(doing) + " failed in oneDNN: " + error.what());
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::internal, std::string(doing) + " failed: out of memory");
  }
}

dnnl::engine& processor() {
  static dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

// Threads of the oneDNN calls that the calling thread makes.
class ThreadLimit {
 public:
  explicit ThreadLimit(int threads) : before_(omp_get_max_threads()) { omp_set_num_threads(threads); }
  ~ThreadLimit() { omp_set_num_threads(before_); }
  ThreadLimit(const ThreadLimit&) = delete;
  ThreadLimit& operator=(const ThreadLimit&) = delete;

 private:
  int before_;
};

struct Shape {
  int batch;
  int height;
  int width;
  int threads;
  friend bool operator==(const Shape&, const Shape&) = default;
};

// What a buffer holds at one point of the plan.
struct Picture {
  int buffer;
  int channels;
  int height;
  int width;
};

// Geometry of a convolution or a pool, as oneDNN takes it.
struct Window {
  memory::dims kernel, stride, before, behind;
};

Window window_of(const LayerDescription& d, Padding padding, const Picture& source) {
  const auto [top, bottom] = padding_of(d, padding, source.height);
  const auto [left, right] = padding_of(d, padding, source.width);
  return {{d.kernel, d.kernel}, {d.stride, d.stride}, {top, left}, {bottom, right}};
}

void append_activation(dnnl::post_ops& operations, Activation activation) {
  if (activation == Activation::none) return;
  const auto kind = activation == Activation::relu ? dnnl::algorithm::eltwise_relu : dnnl::algorithm::eltwise_clip;
  const float upper = activation == Activation::relu ? 0.0F : 6.0F;  // relu: slope below zero 0
#if DNNL_VERSION_MAJOR >= 3
  operations.append_eltwise(kind, 0, upper);
#else
  operations.append_eltwise(1, kind, 0, upper);
#endif
}

dnnl::convolution_forward::primitive_desc describe_convolution(const memory::desc& source, const memory::desc& weight,
                                                               const memory::desc& bias, const memory::desc& target,
                                                               const Window& w,
                                                               const dnnl::primitive_attr& attributes) {
  constexpr auto kInference = dnnl::prop_kind::forward_inference;
  constexpr auto kDirect = dnnl::algorithm::convolution_direct;
#if DNNL_VERSION_MAJOR >= 3
  return {processor(), kInference, kDirect, source, weight, bias, target, w.stride, w.before, w.behind, attributes};
#else
  return {{kInference, kDirect, source, weight, bias, target, w.stride, w.before, w.behind}, attributes, processor()};
#endif
}

dnnl::pooling_forward::primitive_desc describe_pool(const memory::desc& source, const memory::desc& target,
                                                    const Window& w, const dnnl::primitive_attr& attributes) {
  constexpr auto kInference = dnnl::prop_kind::forward_inference;
  constexpr auto kMaximum = dnnl::algorithm::pooling_max;
#if DNNL_VERSION_MAJOR >= 3
  return {processor(), kInference, kMaximum, source,   target,    w.stride,
          w.kernel,    {0, 0},     w.before, w.behind, attributes};
#else
  return {{kInference, kMaximum, source, target, w.stride, w.kernel, w.before, w.behind}, attributes, processor()};
#endif
}

// One primitive with where it reads and writes.
struct Step {
  dnnl::primitive primitive;
  memory weight;  // empty for pools and copies
  memory bias;
  int source;  // buffer
  int target;  // buffer, or kBuffers + tap
  memory::desc source_description;
  memory::desc target_description;
};

// Everything about a shape that does not change from run to run; shared by all threads that run it.
struct Plan {
  Shape shape;
  Type type;
  std::vector<Step> steps;
  std::array<std::size_t, kBuffers> buffer_bytes{};
  std::size_t scratchpad_bytes = 0;
  std::vector<Picture> taps;
};

class PlanMaker {
 public:
  PlanMaker(const Network& network, Type type, const Shape& shape) : network_(network) {
    plan_.shape = shape;
    plan_.type = type;
  }

  Plan make() {
    Picture x{0, 3, plan_.shape.height, plan_.shape.width};
    reserve(x);
    for (const Block& block : network_.blocks) {
      x = add(block, x);
      if (block.tap) add_tap(x);
    }
    return std::move(plan_);
  }

 private:
  [[nodiscard]] memory::desc describe(const Picture& x, Type type) const {
    return {{plan_.shape.batch, x.channels, x.height, x.width}, type, Tag::nhwc};
  }

  // The caller provides the scratchpad, so that runs can share primitives.
  static dnnl::primitive_attr attributes_with(const dnnl::post_ops& operations) {
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    attributes.set_post_ops(operations);
    return attributes;
  }

  void reserve(const Picture& x) {
    auto& bytes = plan_.buffer_bytes[static_cast<std::size_t>(x.buffer)];
    bytes = std::max(bytes, describe(x, plan_.type).get_size());
  }

  [[nodiscard]] Picture result_of(const LayerDescription& d, const Picture& source, int buffer) const {
    const Padding padding = network_.description.padding;
    return {buffer, d.channels, output_length(d, padding, source.height), output_length(d, padding, source.width)};
  }

  // A buffer that is neither of the two.
  static int another(int buffer, int other) {
    int result = 0;
    while (result == buffer || result == other) ++result;
    return result;
  }

  // The buffer that holds the shortcut. A single layer cannot write over the input that it still reads.
  int add_shortcut(const Block& block, const Picture& input) {
    const int free = another(input.buffer, input.buffer);
    if (block.shortcut == Shortcut::convolution) return add_layer(block.shortcut_layer, input, free, {}).buffer;
    if (block.shortcut == Shortcut::none || block.layers.size() > 1) return input.buffer;
    Picture copy = input;
    copy.buffer = free;
    reserve(copy);
    add_copy(input, copy, plan_.type);
    return copy.buffer;
  }

  // The last layer adds the shortcut by writing over it.
  Picture add(const Block& block, const Picture& input) {
    const int kept = add_shortcut(block, input);
    const bool shortcut = block.shortcut != Shortcut::none;
    Picture x = input;
    for (std::size_t i = 0; i < block.layers.size(); ++i) {
      const Layer& layer = block.layers[i];
      const bool last = i + 1 == block.layers.size();
      dnnl::post_ops operations;
      append_activation(operations, layer.description.activation);
      if (last && shortcut) operations.append_sum(1);
      if (last) append_activation(operations, block.activation);
      x = add_layer(layer, x, last && shortcut ? kept : another(x.buffer, kept), operations);
    }
    return x;
  }

  Picture add_layer(const Layer& layer, const Picture& source, int buffer, const dnnl::post_ops& operations) {
    const LayerDescription& d = layer.description;
    const Picture target = result_of(d, source, buffer);
    reserve(target);
    const Window window = window_of(d, network_.description.padding, source);
    if (d.kind == LayerKind::max_pool) {
      const auto pool = describe_pool(describe(source, plan_.type), describe(target, plan_.type), window,
                                      attributes_with(operations));
      add_step({dnnl::pooling_forward(pool), {}, {}, source.buffer, target.buffer, pool.src_desc(), pool.dst_desc()},
               pool.scratchpad_desc());
    } else {
      add_convolution(layer, source, target, window, attributes_with(operations));
    }
    return target;
  }

  void add_convolution(const Layer& layer, const Picture& source, const Picture& target, const Window& window,
                       const dnnl::primitive_attr& attributes) {
    const LayerDescription& d = layer.description;
    const memory::dims shape{d.groups, d.channels / d.groups, d.input_channels / d.groups, d.kernel, d.kernel};
    const memory::dims tail(shape.begin() + 1, shape.end());
    const bool grouped = d.groups > 1;
    const memory::dims& dims = grouped ? shape : tail;
    const memory::desc given(dims, Type::f32, grouped ? Tag::goihw : Tag::oihw);
    const memory::desc bias({d.channels}, Type::f32, Tag::x);
    const auto description = describe_convolution(describe(source, plan_.type), {dims, plan_.type, Tag::any}, bias,
                                                  describe(target, plan_.type), window, attributes);
    add_step(
        {dnnl::convolution_forward(description), packed(layer.weight, given, description.weights_desc()),
         packed(layer.bias, bias, bias), source.buffer, target.buffer, description.src_desc(), description.dst_desc()},
        description.scratchpad_desc());
  }

  // A copy of the values in the layout and type that a primitive wants.
  memory packed(const std::vector<float>& values, const memory::desc& given, const memory::desc& wanted) {
    // oneDNN takes mutable pointers; this one is only read.
    memory from(given, processor(), const_cast<float*>(values.data()));
    memory to(wanted, processor());
    dnnl::reorder(from, to).execute(stream_, from, to);
    stream_.wait();
    return to;
  }

  void add_step(Step step, const memory::desc& scratchpad) {
    plan_.scratchpad_bytes = std::max(plan_.scratchpad_bytes, scratchpad.get_size());
    plan_.steps.push_back(std::move(step));
  }

  // Taps are handed out in float.
  void add_tap(const Picture& x) {
    Picture tap = x;
    tap.buffer = kBuffers + static_cast<int>(plan_.taps.size());
    add_copy(x, tap, Type::f32);
    plan_.taps.push_back(tap);
  }

  void add_copy(const Picture& source, const Picture& target, Type type) {
    const dnnl::reorder::primitive_desc copy(processor(), describe(source, plan_.type), processor(),
                                             describe(target, type), attributes_with({}));
    add_step({dnnl::reorder(copy), {}, {}, source.buffer, target.buffer, copy.src_desc(), copy.dst_desc()},
             copy.scratchpad_desc());
  }

  const Network& network_;
  Plan plan_;
  dnnl::stream stream_{processor()};
};

// A plan with the memory of one run at a time.
class Executor {
 public:
  explicit Executor(std::shared_ptr<const Plan> plan) : plan_(std::move(plan)) {
    for (std::size_t b = 0; b < kBuffers; ++b) buffers_.push_back(bytes(plan_->buffer_bytes[b]));
    const memory scratchpad = bytes(plan_->scratchpad_bytes);
    for (const Step& step : plan_->steps) add(step, scratchpad);
  }

  [[nodiscard]] const std::shared_ptr<const Plan>& plan() const { return plan_; }
  [[nodiscard]] void* input() const { return buffers_[0].get_data_handle(); }

  void run(std::vector<TapMaps>& taps) {
    taps.resize(plan_->taps.size());
    for (std::size_t t = 0; t < taps.size(); ++t) {
      const Picture& picture = plan_->taps[t];
      TapMaps& tap = taps[t];
      tap.batch = plan_->shape.batch;
      tap.height = picture.height;
      tap.width = picture.width;
      tap.channels = picture.channels;
      tap.values.resize(static_cast<std::size_t>(tap.batch) * static_cast<std::size_t>(tap.height) *
                        static_cast<std::size_t>(tap.width) * static_cast<std::size_t>(tap.channels));
      tap_memory_[t].set_data_handle(tap.values.data());
    }
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      const auto& call = calls_[i];
      dnnl::error::wrap_c_api(dnnl_primitive_execute(plan_->steps[i].primitive.get(), stream_.get(),
                                                     static_cast<int>(call.size()), call.data()),
                              "a step could not be executed");
    }
    stream_.wait();
  }

 private:
  static memory bytes(std::size_t count) {
    return {{{static_cast<memory::dim>(std::max<std::size_t>(count, 1))}, Type::u8, Tag::x}, processor()};
  }

  [[nodiscard]] memory view(int buffer, const memory::desc& description) {
    if (buffer < kBuffers) {
      return {description, processor(), buffers_[static_cast<std::size_t>(buffer)].get_data_handle()};
    }
    return tap_memory_.emplace_back(memory(description, processor(), nullptr));
  }

  void add(const Step& step, const memory& scratchpad) {
    std::vector<std::pair<int, memory>> arguments{{DNNL_ARG_SRC, view(step.source, step.source_description)},
                                                  {DNNL_ARG_DST, view(step.target, step.target_description)},
                                                  {DNNL_ARG_SCRATCHPAD, scratchpad}};
    if (step.weight) {
      arguments.emplace_back(DNNL_ARG_WEIGHTS, step.weight);
      arguments.emplace_back(DNNL_ARG_BIAS, step.bias);
    }
    auto& call = calls_.emplace_back();
    for (auto& [name, argument] : arguments) {
      call.push_back({name, argument.get()});
      held_.push_back(std::move(argument));
    }
  }

  std::shared_ptr<const Plan> plan_;
  dnnl::stream stream_{processor()};
  std::vector<memory> buffers_;
  std::vector<memory> tap_memory_;
  std::vector<memory> held_;                         // what `calls_` point to
  std::vector<std::vector<dnnl_exec_arg_t>> calls_;  // one per step
};

// x = (grey level - mean) / std for every grey level and channel, as bits of the network's type.
template <class Bits>
class InputTable {
 public:
  template <class Convert>
  InputTable(const BackboneDescription& description, const Convert& convert) {
    for (std::size_t c = 0; c < 3; ++c) {
      for (int level = 0; level < 256; ++level) {
        const double value =
            (level - static_cast<double>(description.mean[c])) / static_cast<double>(description.std[c]);
        table_[c][static_cast<std::size_t>(level)] = convert(static_cast<float>(value));
      }
    }
  }

  void run(std::span<const std::uint8_t> images, void* output) const {
    auto* out = static_cast<Bits*>(output);
    for (std::size_t i = 0; i + 2 < images.size(); i += 3) {
      for (std::size_t c = 0; c < 3; ++c) out[i + c] = table_[c][images[i + c]];
    }
  }

 private:
  std::array<std::array<Bits, 256>, 3> table_;
};

// Rounds to nearest, ties to even.
std::uint16_t to_bfloat16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return static_cast<std::uint16_t>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}

class OnednnBackbone final : public Backbone, public std::enable_shared_from_this<OnednnBackbone> {
 public:
  OnednnBackbone(std::shared_ptr<const Network> network, Precision precision)
      : network_(std::move(network)),
        info_(describe(*network_, "cpu", precision)),
        precision_(precision),
        floats_(network_->description, [](float value) { return value; }),
        bfloats_(network_->description, to_bfloat16) {}

  [[nodiscard]] const BackboneInfo& info() const override { return info_; }

  [[nodiscard]] std::shared_ptr<const Backbone> with_taps(std::span<const int> taps) const override {
    if (taps.size() == info_.taps.size()) return shared_from_this();
    return parts_.get(BackboneParts::Kept::taps, taps, [&] {
      auto narrow = std::make_shared<const Network>(padim::with_taps(*network_, taps));
      return make_onednn_backbone(std::move(narrow), precision_);
    });
  }

  [[nodiscard]] std::shared_ptr<const Backbone> with_last_tap_channels(std::span<const int> channels) const override {
    if (static_cast<int>(channels.size()) == info_.taps.back().channels) return shared_from_this();
    return parts_.get(BackboneParts::Kept::last_tap_channels, channels, [&] {
      auto narrow = std::make_shared<const Network>(with_last_channels(*network_, channels));
      return make_onednn_backbone(std::move(narrow), precision_);
    });
  }

  void run(std::span<const std::uint8_t> images, int batch, int height, int width, std::vector<TapMaps>& taps,
           int threads) const override {
    translated("running the backbone", [&] {
      const ThreadLimit limit(threads);
      std::unique_ptr<Executor> executor = borrow({batch, height, width, threads});
      if (precision_ == Precision::bfloat16) {
        bfloats_.run(images, executor->input());
      } else {
        floats_.run(images, executor->input());
      }
      executor->run(taps);
      give_back(std::move(executor));
    });
  }

 private:
  // An idle executor for `shape`; a new one where all are busy, with the plan of another one where there is one.
  [[nodiscard]] std::unique_ptr<Executor> borrow(const Shape& shape) const {
    const std::lock_guard lock(mutex_);
    const auto idle =
        std::find_if(idle_.begin(), idle_.end(), [&](const auto& e) { return e->plan()->shape == shape; });
    if (idle != idle_.end()) {
      auto executor = std::move(*idle);
      idle_.erase(idle);
      return executor;
    }
    std::erase_if(plans_, [](const auto& plan) { return plan.expired(); });
    for (const auto& known : plans_) {
      const auto plan = known.lock();
      if (plan && plan->shape == shape) return std::make_unique<Executor>(plan);
    }
    const Type type = precision_ == Precision::bfloat16 ? Type::bf16 : Type::f32;
    auto plan = std::make_shared<const Plan>(PlanMaker(*network_, type, shape).make());
    plans_.emplace_back(plan);
    return std::make_unique<Executor>(std::move(plan));
  }

  void give_back(std::unique_ptr<Executor> executor) const {
    const std::lock_guard lock(mutex_);
    if (idle_.size() == kIdlePlans) idle_.erase(idle_.begin());
    idle_.push_back(std::move(executor));
  }

  std::shared_ptr<const Network> network_;
  BackboneInfo info_;
  Precision precision_;
  mutable BackboneParts parts_;
  InputTable<float> floats_;
  InputTable<std::uint16_t> bfloats_;
  mutable std::mutex mutex_;  // guards what follows
  mutable std::vector<std::unique_ptr<Executor>> idle_;
  mutable std::vector<std::weak_ptr<const Plan>> plans_;
};

}  // namespace

std::shared_ptr<const Backbone> make_onednn_backbone(std::shared_ptr<const Network> network, Precision precision) {
  return translated("opening the backbone", [&]() -> std::shared_ptr<const Backbone> {
    return std::make_shared<OnednnBackbone>(std::move(network), precision);
  });
}

}  // namespace padim
