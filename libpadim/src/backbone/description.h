#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "padim/backbone.h"

namespace padim {

enum class Activation { none, relu, relu6 };
enum class Padding { symmetric, same };  ///< (k-1)/2 on each side, or TensorFlow's SAME
enum class LayerKind { convolution, max_pool };

/// One step inside a block. Weights are found under `key` ("key.weight") and `norm` ("norm.weight", "norm.bias",
/// "norm.running_mean", "norm.running_var") or, with the norm folded, under "key.bias".
struct LayerDescription {
  LayerKind kind = LayerKind::convolution;
  std::string key;
  std::string norm;
  int input_channels = 0;
  int channels = 0;
  int kernel = 1;
  int stride = 1;
  int groups = 1;
  Activation activation = Activation::none;
};

enum class Shortcut { none, identity, convolution };

/// activation(layers(x) + shortcut(x)); the result is handed out where `tap` is not empty.
struct BlockDescription {
  std::string name;
  std::vector<LayerDescription> layers;
  Shortcut shortcut = Shortcut::none;
  LayerDescription shortcut_layer;
  Activation activation = Activation::none;
  std::string tap;
};

/// A network as models/NAME.json describes it (models/README.md has the format).
struct BackboneDescription {
  std::string name;
  std::array<float, 3> mean{};  ///< x = (grey level - mean) / std per channel, RGB
  std::array<float, 3> std{};
  Padding padding = Padding::symmetric;
  double batch_norm_epsilon = 1e-5;
  double epsilon = 0.01;
  bool epsilon_is_relative = false;
  double prior = 0;
  std::string weights_source;            ///< where the weights come from, for error messages
  std::vector<BlockDescription> blocks;  ///< up to the last tap
  std::vector<TapInfo> taps;
};

/// Checks a description's JSON. what: names it in errors. Throws bad_format (names `what`, block and field).
[[nodiscard]] BackboneDescription parse_backbone_description(std::string_view text, const std::string& what);

/// The same of a file. Throws not_found, cannot_read, bad_format.
[[nodiscard]] BackboneDescription load_backbone_description(const std::filesystem::path& file);

}  // namespace padim
