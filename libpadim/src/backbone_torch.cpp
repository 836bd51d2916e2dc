// One executor for every described backbone, on LibTorch: batch norm is folded into the convolutions at load (in double
// precision: w' = w * g / sqrt(v + eps), b' = (b - m) * g / sqrt(v + eps) + beta), tensors are channels_last so that
// oneDNN computes them, and nothing past the last tap is computed. The only file that includes LibTorch. Must match
// torchvision's modules to 1e-5 of the largest value in float32.

#include <torch/torch.h>
#include <torch/version.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <sstream>
#include <utility>

#include "backbone_description.h"
#include "backbone_search.h"
#include "padim/backbone.h"
#include "padim/error.h"
#include "safetensors.h"
#include "sha256.h"

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

// A described layer with its weights on the device.
struct Layer {
  LayerDescription description;
  Tensor weight;
  Tensor bias;
};

struct Block {
  std::vector<Layer> layers;
  Shortcut shortcut = Shortcut::none;
  Layer shortcut_layer;
  Activation activation = Activation::none;
  Tensor shortcut_channels;  // of an identity whose block computes only some channels
  bool tap = false;
};

// Reads a backbone's weights, folded and moved to their device.
class WeightsReader {
 public:
  WeightsReader(const std::filesystem::path& path, const BackboneDescription& description, at::TensorOptions target)
      : path_(path), file_(path, "backbone weights"), description_(description), target_(std::move(target)) {}

  [[nodiscard]] std::string sha256_hex() const { return to_hex(sha256(file_.bytes())); }
  [[nodiscard]] std::int64_t parameters() const { return parameters_; }

  Layer read(const LayerDescription& description) {
    Layer layer{description, {}, {}};
    if (description.kind == LayerKind::max_pool) return layer;
    Tensor weight =
        tensor(description.key + ".weight", {description.channels, description.input_channels / description.groups,
                                             description.kernel, description.kernel});
    Tensor bias = find(description.key + ".bias") != nullptr ? tensor(description.key + ".bias", {description.channels})
                                                             : at::zeros({description.channels}, at::kDouble);
    if (!description.norm.empty() && find(description.norm + ".weight") != nullptr) fold(description, weight, bias);
    if (!weight.isfinite().all().item<bool>() || !bias.isfinite().all().item<bool>()) {
      fail("the weights of '" + description.key + "' are not finite");
    }
    parameters_ += weight.numel() + bias.numel();
    layer.weight = weight.to(target_).contiguous(at::MemoryFormat::ChannelsLast);
    layer.bias = bias.to(target_);
    return layer;
  }

 private:
  [[noreturn]] void fail(const std::string& cause) const {
    throw Error(ErrorCode::bad_format, "cannot use backbone weights '" + path_.string() + "' as " + description_.name +
                                           ": " + cause + "; convert them again as models/README.md tells");
  }

  [[nodiscard]] const TensorView* find(const std::string& name) const {
    const auto found = file_.tensors().find(name);
    return found == file_.tensors().end() ? nullptr : &found->second;
  }

  [[nodiscard]] Tensor tensor(const std::string& name, const std::vector<std::int64_t>& shape) const {
    const TensorView* view = find(name);
    if (view == nullptr) fail("tensor '" + name + "' is missing");
    if (view->shape != shape || view->type != TensorType::f32) fail("tensor '" + name + "' has another shape or type");
    // The copy makes the tensor independent of the mapping and of its alignment.
    Tensor copy = at::empty(shape, at::kFloat);
    std::memcpy(copy.data_ptr(), view->bytes.data(), view->bytes.size());
    return copy.to(at::kDouble);
  }

  void fold(const LayerDescription& description, Tensor& weight, Tensor& bias) const {
    const auto statistic = [&](const char* name) { return tensor(description.norm + name, {description.channels}); };
    const Tensor scale = statistic(".weight") / (statistic(".running_var") + description_.batch_norm_epsilon).sqrt();
    bias = (bias - statistic(".running_mean")) * scale + statistic(".bias");
    weight = weight * scale.view({-1, 1, 1, 1});
  }

  std::filesystem::path path_;
  SafetensorsFile file_;
  const BackboneDescription& description_;
  at::TensorOptions target_;
  std::int64_t parameters_ = 0;
};

void activate(Tensor& x, Activation activation) {
  if (activation == Activation::relu) at::relu_(x);
  if (activation == Activation::relu6) at::clamp_(x, 0, 6);
}

// TensorFlow's SAME: the output has ceil(n / stride) samples; an odd total of padding has its larger half at the end.
std::pair<std::int64_t, std::int64_t> same_padding(std::int64_t length, const LayerDescription& layer) {
  const std::int64_t outputs = (length + layer.stride - 1) / layer.stride;
  const std::int64_t total = std::max<std::int64_t>((outputs - 1) * layer.stride + layer.kernel - length, 0);
  return {total / 2, total - total / 2};
}

Tensor apply(const Layer& layer, Tensor x, Padding padding) {
  const auto& d = layer.description;
  std::vector<std::int64_t> pad(2, (d.kernel - 1) / 2);
  if (padding == Padding::same) {
    const auto [top, bottom] = same_padding(x.size(2), d);
    const auto [left, right] = same_padding(x.size(3), d);
    pad = {top, left};
    if (top != bottom || left != right) {
      const double fill = d.kind == LayerKind::max_pool ? -std::numeric_limits<double>::infinity() : 0;
      x = at::constant_pad_nd(x, {left, right, top, bottom}, fill);
      pad = {0, 0};
    }
  }
  const std::vector<std::int64_t> stride(2, d.stride);
  Tensor y = d.kind == LayerKind::max_pool
                 ? at::max_pool2d(x, {d.kernel, d.kernel}, stride, pad)
                 : at::conv2d(x, layer.weight, layer.bias, stride, pad, std::vector<std::int64_t>{1, 1}, d.groups);
  activate(y, d.activation);
  return y;
}

Tensor apply(const Block& block, const Tensor& input, Padding padding) {
  Tensor y = input;
  for (const Layer& layer : block.layers) y = apply(layer, y, padding);
  if (block.shortcut == Shortcut::convolution) y.add_(apply(block.shortcut_layer, input, padding));
  if (block.shortcut == Shortcut::identity) {
    y.add_(block.shortcut_channels.defined() ? input.index_select(1, block.shortcut_channels) : input);
  }
  activate(y, block.activation);
  return y;
}

void keep_channels(Layer& layer, const Tensor& channels) {
  layer.weight = layer.weight.index_select(0, channels).contiguous(at::MemoryFormat::ChannelsLast);
  layer.bias = layer.bias.index_select(0, channels);
}

class TorchBackbone final : public Backbone, public std::enable_shared_from_this<TorchBackbone> {
 public:
  TorchBackbone(const BackboneDescription& description, const std::filesystem::path& weights, c10::Device device,
                at::ScalarType type)
      : padding_(description.padding), device_(device), type_(type) {
    WeightsReader reader(weights, description, at::TensorOptions(device).dtype(type));
    for (const BlockDescription& block : description.blocks) blocks_.push_back(read_block(reader, block));
    const auto row = [&](const std::array<float, 3>& values) {
      return at::tensor(at::ArrayRef<float>(values.data(), values.size())).to(device);
    };
    scale_ = 1 / row(description.std);
    offset_ = -row(description.mean) * scale_;
    std::ostringstream device_name;
    device_name << device;
    info_ = {description.name,    reader.sha256_hex(),
             description.taps,    reader.parameters(),
             description.epsilon, description.epsilon_is_relative,
             device_name.str(),   type == at::kBFloat16 ? "bfloat16" : "float32"};
  }

  [[nodiscard]] const BackboneInfo& info() const override { return info_; }

  [[nodiscard]] std::shared_ptr<const Backbone> with_last_tap_channels(std::span<const int> channels) const override {
    if (static_cast<int>(channels.size()) == info_.taps.back().channels) return shared_from_this();
    return translated("selecting channels", [&]() -> std::shared_ptr<const Backbone> {
      const c10::InferenceMode guard;
      auto narrow = std::make_shared<TorchBackbone>(*this);
      narrow->keep_last_channels(std::vector<std::int64_t>(channels.begin(), channels.end()));
      return narrow;
    });
  }

  void run(std::span<const std::uint8_t> images, int batch, int height, int width, std::vector<TapMaps>& taps,
           int threads) const override {
    translated("running the backbone", [&] {
      use_threads(threads);
      const c10::InferenceMode guard;
      Tensor x = normalized(images, batch, height, width);
      taps.resize(info_.taps.size());
      std::size_t tap = 0;
      for (const Block& block : blocks_) {
        x = apply(block, x, padding_);
        if (block.tap) hand_out(x, taps[tap++]);
      }
    });
  }

 private:
  static Block read_block(WeightsReader& reader, const BlockDescription& description) {
    Block block;
    for (const auto& layer : description.layers) block.layers.push_back(reader.read(layer));
    block.shortcut = description.shortcut;
    if (block.shortcut == Shortcut::convolution) block.shortcut_layer = reader.read(description.shortcut_layer);
    block.activation = description.activation;
    block.tap = !description.tap.empty();
    return block;
  }

  void keep_last_channels(const std::vector<std::int64_t>& channels) {
    const Tensor index = at::tensor(channels).to(device_);
    Block& block = blocks_.back();
    Layer& last = block.layers.back();
    if (last.description.kind != LayerKind::convolution || last.description.groups != 1) {
      throw Error(ErrorCode::unsupported,
                  "backbone '" + info_.name + "' ends in a layer whose channels cannot be selected");
    }
    keep_channels(last, index);
    if (block.shortcut == Shortcut::convolution) keep_channels(block.shortcut_layer, index);
    if (block.shortcut == Shortcut::identity) block.shortcut_channels = index;
    info_.taps.back().channels = static_cast<int>(channels.size());
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

  std::vector<Block> blocks_;
  Padding padding_;
  c10::Device device_;
  at::ScalarType type_;
  Tensor scale_;
  Tensor offset_;
  BackboneInfo info_;
};

c10::Device parse_device(const std::string& name) {
  const bool cuda = torch::cuda::is_available();
  if (name == "cpu" || (name == "auto" && !cuda)) return c10::Device(c10::kCPU);
  if (name == "auto" || name == "cuda") return parse_device("cuda:0");
  const std::string prefix = "cuda:";
  const std::string digits = name.starts_with(prefix) ? name.substr(prefix.size()) : "";
  if (digits.empty() || digits.size() > 3 || digits.find_first_not_of("0123456789") != std::string::npos) {
    throw Error(ErrorCode::invalid_argument, "device '" + name + "' is unknown: use cpu, cuda, cuda:N or auto");
  }
  if (!cuda) {
    throw Error(ErrorCode::unsupported, "device '" + name +
                                            "' is not available: this machine has no usable CUDA device, or LibTorch " +
                                            TORCH_VERSION + " was built without CUDA; use cpu or auto");
  }
  const int index = std::stoi(digits);
  if (index >= static_cast<int>(torch::cuda::device_count())) {
    throw Error(ErrorCode::unsupported, "device '" + name + "' is not available: this machine has " +
                                            std::to_string(torch::cuda::device_count()) + " CUDA device(s)");
  }
  return {c10::kCUDA, static_cast<c10::DeviceIndex>(index)};
}

bool computes_in_bfloat16(const c10::Device& device) {
  if (!device.is_cpu()) return true;
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512bf16") != 0;
#else
  return false;
#endif
}

at::ScalarType element_type(Precision precision, const c10::Device& device) {
  if (precision == Precision::automatic) return computes_in_bfloat16(device) ? at::kBFloat16 : at::kFloat;
  return precision == Precision::bfloat16 ? at::kBFloat16 : at::kFloat;
}

// Backbones in use, so that several detectors share one set of weights.
class Pool {
 public:
  template <class Make>
  std::shared_ptr<const Backbone> get(const std::string& key, const Make& make) {
    const std::lock_guard lock(mutex_);
    if (auto existing = entries_[key].lock()) return existing;
    std::shared_ptr<const Backbone> created = make();
    entries_[key] = created;
    return created;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<const Backbone>> entries_;
};

// Two backbones are the same when their files are: same inode content means same path, size and time of change.
std::string identity(const std::filesystem::path& path) {
  std::error_code ignored;
  const auto canonical = std::filesystem::weakly_canonical(path, ignored);
  const auto time = std::filesystem::last_write_time(path, ignored).time_since_epoch().count();
  return canonical.string() + "|" + std::to_string(std::filesystem::file_size(path, ignored)) + "|" +
         std::to_string(time);
}

}  // namespace

std::shared_ptr<const Backbone> open_backbone(const BackboneOptions& options) {
  static Pool pool;
  const BackboneFiles files = find_backbone_files(options);
  const BackboneDescription description = load_backbone_description(files.description);
  return translated("opening the backbone", [&] {
    const c10::Device device = parse_device(options.device);
    const at::ScalarType type = element_type(options.precision, device);
    std::ostringstream key;
    key << identity(files.description) << "|" << identity(files.weights) << "|" << device << "|" << type;
    return pool.get(key.str(), [&]() -> std::shared_ptr<const Backbone> {
      const c10::InferenceMode guard;
      return std::make_shared<TorchBackbone>(description, files.weights, device, type);
    });
  });
}

std::string to_string(Precision precision) {
  return precision == Precision::float32 ? "float32" : precision == Precision::bfloat16 ? "bfloat16" : "auto";
}

Precision parse_precision(const std::string& name) {
  for (const Precision precision : {Precision::automatic, Precision::float32, Precision::bfloat16}) {
    if (name == to_string(precision)) return precision;
  }
  throw Error(ErrorCode::invalid_argument, "precision '" + name + "' is unknown: use auto, float32 or bfloat16");
}

}  // namespace padim
