// Executes a network on oneDNN: what LibTorch calls for each convolution anyway, without what it spends around the
// calls. A plan is made once per input shape: weights in the processor's own layout, activations and sums fused into
// the convolutions, every result written to one of a few buffers that are kept. Of the time of LibTorch's calls three
// quarters went into page faults of fresh tensors, clamps, paddings and copies (docs/decisions/0008). Activations are
// channels last. Must match torchvision's modules to 1e-5 of the largest value in float32.

#include "backbone/onednn.h"

#include <omp.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <dnnl.hpp>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "backbone/onednn_plan.h"
#include "padim/error.h"

namespace padim {
namespace {

using dnnl::memory;
using onednn::kBuffers;
using onednn::Plan;
using onednn::processor;
using onednn::Shape;
using onednn::Step;
using Type = memory::data_type;
using Tag = memory::format_tag;

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
      const onednn::Tensor& tensor = plan_->taps[t];
      TapMaps& tap = taps[t];
      tap.batch = plan_->shape.batch;
      tap.height = tensor.height;
      tap.width = tensor.width;
      tap.channels = tensor.channels;
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

Type type_of(Precision precision) { return precision == Precision::bfloat16 ? Type::bf16 : Type::f32; }

// Rounds to nearest, ties to even.
std::uint16_t to_bfloat16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return static_cast<std::uint16_t>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}

class OnednnEngine final : public Engine {
 public:
  OnednnEngine(std::shared_ptr<const Network> network, Precision precision)
      : network_(std::move(network)),
        precision_(precision),
        floats_(network_->description, [](float value) { return value; }),
        bfloats_(network_->description, to_bfloat16) {}

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
    auto plan = std::make_shared<const Plan>(make_plan(*network_, type_of(precision_), shape));
    plans_.emplace_back(plan);
    return std::make_unique<Executor>(std::move(plan));
  }

  void give_back(std::unique_ptr<Executor> executor) const {
    const std::lock_guard lock(mutex_);
    if (idle_.size() == kIdlePlans) idle_.erase(idle_.begin());
    idle_.push_back(std::move(executor));
  }

  std::shared_ptr<const Network> network_;
  Precision precision_;
  InputTable<float> floats_;
  InputTable<std::uint16_t> bfloats_;
  mutable std::mutex mutex_;  // guards what follows
  mutable std::vector<std::unique_ptr<Executor>> idle_;
  mutable std::vector<std::weak_ptr<const Plan>> plans_;
};

}  // namespace

bool onednn_computes_in(Precision precision) { return onednn::computes_in(type_of(precision)); }

std::unique_ptr<const Engine> make_onednn_engine(std::shared_ptr<const Network> network, Precision precision) {
  return translated("opening the backbone",
                    [&] { return std::make_unique<OnednnEngine>(std::move(network), precision); });
}

}  // namespace padim
