// Batch norm is folded into the convolutions at load, in double precision: w' = w * g / sqrt(v + eps), b' = (b - m) * g
// / sqrt(v + eps) + beta.

#include "backbone/network.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <utility>

#include "base/safetensors.h"
#include "base/sha256.h"
#include "padim/error.h"

namespace padim {
namespace {

class WeightsReader {
 public:
  WeightsReader(const std::filesystem::path& path, const BackboneDescription& description)
      : path_(path), description_(description), file_(path, "backbone weights"), contents_(read_all()) {}

  [[nodiscard]] std::string sha256_hex() const { return to_hex(contents_.whole); }

  [[nodiscard]] Layer read(const LayerDescription& description) const {
    Layer layer{description, {}, {}};
    if (description.kind == LayerKind::max_pool) return layer;
    const std::int64_t channels = description.channels;
    layer.weight = tensor(description.key + ".weight", {channels, description.input_channels / description.groups,
                                                        description.kernel, description.kernel});
    layer.bias = find(description.key + ".bias") != nullptr
                     ? tensor(description.key + ".bias", {channels})
                     : std::vector<float>(static_cast<std::size_t>(description.channels));
    if (!description.norm.empty() && find(description.norm + ".weight") != nullptr) fold(layer);
    const auto finite = [](float value) { return std::isfinite(value); };
    if (!std::all_of(layer.weight.begin(), layer.weight.end(), finite) ||
        !std::all_of(layer.bias.begin(), layer.bias.end(), finite)) {
      fail("the weights of '" + description.key + "' are not finite");
    }
    return layer;
  }

 private:
  // A file of something else may be large.
  [[nodiscard]] SafetensorsFile::Contents read_all() const {
    const std::string& first = description_.blocks.front().layers.front().key;
    if (!first.empty() && find(first + ".weight") == nullptr) fail("tensor '" + first + ".weight' is missing");
    auto contents = file_.read_all();
    file_.check_unchanged();
    return contents;
  }

  [[noreturn]] void fail(const std::string& cause) const {
    throw Error(ErrorCode::bad_format, "cannot use backbone weights '" + path_.string() + "' as " + description_.name +
                                           ": " + cause + "; convert them again as models/README.md tells");
  }

  [[nodiscard]] const TensorPlace* find(const std::string& name) const {
    const auto found = file_.tensors().find(name);
    return found == file_.tensors().end() ? nullptr : &found->second;
  }

  [[nodiscard]] std::vector<float> tensor(const std::string& name, const std::vector<std::int64_t>& shape) const {
    const TensorPlace* place = find(name);
    if (place == nullptr) fail("tensor '" + name + "' is missing");
    if (place->shape != shape || place->type != TensorType::f32)
      fail("tensor '" + name + "' has another shape or type");
    std::vector<float> values(static_cast<std::size_t>(element_count(*place)));
    std::memcpy(values.data(), contents_.part.bytes_of(*place).data(), place->size_bytes());
    return values;
  }

  void fold(Layer& layer) const {
    const LayerDescription& d = layer.description;
    const auto statistic = [&](const char* name) { return tensor(d.norm + name, {d.channels}); };
    const auto gain = statistic(".weight");
    const auto shift = statistic(".bias");
    const auto mean = statistic(".running_mean");
    const auto variance = statistic(".running_var");
    const std::size_t size = layer.weight.size() / layer.bias.size();
    for (std::size_t c = 0; c < layer.bias.size(); ++c) {
      const double scale =
          static_cast<double>(gain[c]) / std::sqrt(static_cast<double>(variance[c]) + description_.batch_norm_epsilon);
      const double centered = static_cast<double>(layer.bias[c]) - static_cast<double>(mean[c]);
      layer.bias[c] = static_cast<float>(centered * scale + static_cast<double>(shift[c]));
      for (std::size_t i = c * size; i < (c + 1) * size; ++i) {
        layer.weight[i] = static_cast<float>(static_cast<double>(layer.weight[i]) * scale);
      }
    }
  }

  std::filesystem::path path_;
  const BackboneDescription& description_;
  SafetensorsFile file_;
  SafetensorsFile::Contents contents_;
};

Block read_block(const WeightsReader& reader, const BlockDescription& description) {
  Block block;
  for (const LayerDescription& layer : description.layers) block.layers.push_back(reader.read(layer));
  block.shortcut = description.shortcut;
  if (block.shortcut == Shortcut::convolution) block.shortcut_layer = reader.read(description.shortcut_layer);
  block.activation = description.activation;
  block.tap = !description.tap.empty();
  return block;
}

std::int64_t parameters_of(const Layer& layer) {
  return static_cast<std::int64_t>(layer.weight.size() + layer.bias.size());
}

std::int64_t parameters_of(const std::vector<Block>& blocks) {
  std::int64_t sum = 0;
  for (const Block& block : blocks) {
    for (const Layer& layer : block.layers) sum += parameters_of(layer);
    sum += parameters_of(block.shortcut_layer);
  }
  return sum;
}

void keep_channels(Layer& layer, std::span<const int> channels) {
  const std::size_t size = layer.weight.size() / layer.bias.size();
  std::vector<float> weight;
  std::vector<float> bias;
  for (const int channel : channels) {
    const auto c = static_cast<std::ptrdiff_t>(channel);
    const auto first = layer.weight.begin() + c * static_cast<std::ptrdiff_t>(size);
    weight.insert(weight.end(), first, first + static_cast<std::ptrdiff_t>(size));
    bias.push_back(layer.bias[static_cast<std::size_t>(c)]);
  }
  layer.weight = std::move(weight);
  layer.bias = std::move(bias);
  layer.description.channels = static_cast<int>(channels.size());
}

// A 1x1 convolution that passes every channel on.
Layer identity_layer(int channels) {
  Layer layer;
  layer.description.channels = layer.description.input_channels = channels;
  const auto count = static_cast<std::size_t>(channels);
  layer.weight.resize(count * count);
  for (std::size_t c = 0; c < count; ++c) layer.weight[c * count + c] = 1;
  layer.bias.resize(count);
  return layer;
}

}  // namespace

Network read_network(const BackboneDescription& description, const std::filesystem::path& weights) {
  Network network;
  network.description = description;
  const WeightsReader reader(weights, description);
  for (const BlockDescription& block : description.blocks) network.blocks.push_back(read_block(reader, block));
  network.weights_sha256 = reader.sha256_hex();
  network.parameters = parameters_of(network.blocks);
  return network;
}

Network with_taps(Network network, std::span<const int> taps) {
  std::vector<TapInfo> kept;
  std::size_t blocks = 0;
  for (int tap = 0; kept.size() < taps.size(); ++blocks) {
    Block& block = network.blocks[blocks];
    if (!block.tap) continue;
    block.tap = tap == taps[kept.size()];
    if (block.tap) kept.push_back(network.description.taps[static_cast<std::size_t>(tap)]);
    ++tap;
  }
  network.blocks.resize(blocks);
  network.description.taps = std::move(kept);
  network.parameters = parameters_of(network.blocks);
  return network;
}

Network with_last_channels(Network network, std::span<const int> channels) {
  Block& block = network.blocks.back();
  Layer& last = block.layers.back();
  if (last.description.kind != LayerKind::convolution || last.description.groups != 1) {
    throw Error(ErrorCode::unsupported,
                "backbone '" + network.description.name + "' ends in a layer whose channels cannot be selected");
  }
  if (block.shortcut == Shortcut::identity) {
    block.shortcut = Shortcut::convolution;
    block.shortcut_layer = identity_layer(last.description.channels);
  }
  keep_channels(last, channels);
  if (block.shortcut == Shortcut::convolution) keep_channels(block.shortcut_layer, channels);
  network.description.taps.back().channels = static_cast<int>(channels.size());
  return network;
}

}  // namespace padim
