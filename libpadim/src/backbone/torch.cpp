// Executes a network on LibTorch. Tensors are channels_last, so that oneDNN computes them on the processor. The only
// file that includes LibTorch, and a library of its own (engine_module.h). Must match torchvision's modules to 1e-5 of
// the largest value in float32.

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/api/include/torch/version.h>

#include <limits>
#include <utility>
#include <vector>

#include "backbone/engine_module.h"
#include "backbone/layer_geometry.h"
#include "padim/error.h"

namespace padim {
namespace {

using at::Tensor;

// Runs `body`, turning what LibTorch throws into Error.
template <class Body>
auto translated(const char* doing, const Body& body) {
  try {
    return body();
  } catch (const c10::Error& error) {
    throw Error(ErrorCode::internal, std::string(doing) + " failed in LibTorch: " + error.what_without_backtrace());
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::internal, std::string(doing) + " failed: out of memory");
  }
}

// A layer with its weights on the device.
struct TorchLayer {
  LayerDescription description;
  Tensor weight;
  Tensor bias;
};

struct TorchBlock {
  std::vector<TorchLayer> layers;
  Shortcut shortcut = Shortcut::none;
  TorchLayer shortcut_layer;
  Activation activation = Activation::none;
  bool tap = false;
};

void activate(Tensor& x, Activation activation) {
  if (activation == Activation::relu) at::relu_(x);
  if (activation == Activation::relu6) at::clamp_(x, 0, 6);
}

Tensor apply(const TorchLayer& layer, Tensor x, Padding padding) {
  const auto& d = layer.description;
  const auto [top, bottom] = padding_of(d, padding, static_cast<int>(x.size(2)));
  const auto [left, right] = padding_of(d, padding, static_cast<int>(x.size(3)));
  std::vector<std::int64_t> pad{top, left};
  if (top != bottom || left != right) {
    const double fill = d.kind == LayerKind::max_pool ? -std::numeric_limits<double>::infinity() : 0;
    x = at::constant_pad_nd(x, {left, right, top, bottom}, fill);
    pad = {0, 0};
  }
  const std::vector<std::int64_t> stride(2, d.stride);
  Tensor y = d.kind == LayerKind::max_pool
                 ? at::max_pool2d(x, {d.kernel, d.kernel}, stride, pad)
                 : at::conv2d(x, layer.weight, layer.bias, stride, pad, std::vector<std::int64_t>{1, 1}, d.groups);
  activate(y, d.activation);
  return y;
}

Tensor apply(const TorchBlock& block, const Tensor& input, Padding padding) {
  Tensor y = input;
  for (const TorchLayer& layer : block.layers) y = apply(layer, y, padding);
  if (block.shortcut == Shortcut::convolution) y.add_(apply(block.shortcut_layer, input, padding));
  if (block.shortcut == Shortcut::identity) y.add_(input);
  activate(y, block.activation);
  return y;
}

class TorchEngine final : public Engine {
 public:
  TorchEngine(std::shared_ptr<const Network> network, const std::string& device, Precision precision)
      : network_(std::move(network)),
        device_(device),
        type_(precision == Precision::bfloat16 ? at::kBFloat16 : at::kFloat) {
    const BackboneDescription& description = network_->description;
    for (const Block& block : network_->blocks) blocks_.push_back(upload(block));
    const auto row = [&](const std::array<float, 3>& values) {
      return at::tensor(at::ArrayRef<float>(values.data(), values.size())).to(device_);
    };
    scale_ = 1 / row(description.std);
    offset_ = -row(description.mean) * scale_;
  }

  void run(std::span<const std::uint8_t> images, int batch, int height, int width, std::vector<TapMaps>& taps,
           int threads) const override {
    translated("running the backbone", [&] {
      use_threads(threads);
      const c10::InferenceMode guard;
      Tensor x = normalized(images, batch, height, width);
      taps.resize(network_->description.taps.size());
      std::size_t tap = 0;
      for (const TorchBlock& block : blocks_) {
        x = apply(block, x, network_->description.padding);
        if (block.tap) hand_out(x, taps[tap++]);
      }
    });
  }

 private:
  // The copies are independent of the network, whose memory LibTorch must not free.
  [[nodiscard]] TorchLayer upload(const Layer& layer) const {
    const LayerDescription& d = layer.description;
    if (d.kind == LayerKind::max_pool) return {d, {}, {}};
    const auto copy = [&](const std::vector<float>& values, at::IntArrayRef shape) {
      const Tensor view = at::from_blob(const_cast<float*>(values.data()), shape, at::kFloat);
      return view.to(at::TensorOptions(device_).dtype(type_), false, true);
    };
    const Tensor weight = copy(layer.weight, {d.channels, d.input_channels / d.groups, d.kernel, d.kernel});
    return {d, weight.contiguous(at::MemoryFormat::ChannelsLast), copy(layer.bias, {d.channels})};
  }

  [[nodiscard]] TorchBlock upload(const Block& block) const {
    TorchBlock result;
    for (const Layer& layer : block.layers) result.layers.push_back(upload(layer));
    result.shortcut = block.shortcut;
    if (block.shortcut == Shortcut::convolution) result.shortcut_layer = upload(block.shortcut_layer);
    result.activation = block.activation;
    result.tap = block.tap;
    return result;
  }

  // LibTorch's thread count belongs to the calling thread.
  static void use_threads(int threads) {
    thread_local int current = 0;
    if (threads != current) at::set_num_threads(current = threads);
  }

  [[nodiscard]] Tensor normalized(std::span<const std::uint8_t> images, int batch, int height, int width) const {
    // from_blob wants a mutable pointer; the tensor is only read.
    Tensor bytes = at::from_blob(const_cast<std::uint8_t*>(images.data()), {batch, height, width, 3}, at::kByte);
    Tensor x = bytes.to(device_).to(at::kFloat).mul_(scale_).add_(offset_);
    return x.to(type_).permute({0, 3, 1, 2});
  }

  static void hand_out(const Tensor& x, TapMaps& tap) {
    tap.batch = static_cast<int>(x.size(0));
    tap.channels = static_cast<int>(x.size(1));
    tap.height = static_cast<int>(x.size(2));
    tap.width = static_cast<int>(x.size(3));
    tap.values.resize(static_cast<std::size_t>(x.numel()));
    at::from_blob(tap.values.data(), {x.size(0), x.size(2), x.size(3), x.size(1)}, at::kFloat)
        .copy_(x.permute({0, 2, 3, 1}));
  }

  std::shared_ptr<const Network> network_;
  c10::Device device_;
  at::ScalarType type_;
  std::vector<TorchBlock> blocks_;
  Tensor scale_;
  Tensor offset_;
};

std::unique_ptr<const Engine> make(std::shared_ptr<const Network> network, const std::string& device,
                                   Precision precision) {
  return translated("opening the backbone", [&] {
    const c10::InferenceMode guard;
    return std::make_unique<TorchEngine>(std::move(network), device, precision);
  });
}

int cuda_devices() {
  return translated("looking for GPUs", [] { return static_cast<int>(at::detail::getCUDAHooks().getNumGPUs()); });
}

}  // namespace
}  // namespace padim

extern "C" __attribute__((visibility("default"))) const padim::EngineModule* padim_engine() {
  static constexpr padim::EngineModule kModule{padim::kEngineInterface, "LibTorch " TORCH_VERSION, padim::cuda_devices,
                                               padim::make};
  return &kModule;
}
