#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "backbone/description.h"

namespace padim {

/// A described layer with its weights in float32, batch norm folded in.
struct Layer {
  LayerDescription description;
  std::vector<float> weight;  ///< [channels, input_channels / groups, kernel, kernel]; empty for a pool
  std::vector<float> bias;    ///< [channels]; empty for a pool
};

/// activation(layers(x) + shortcut(x)); see BlockDescription.
struct Block {
  std::vector<Layer> layers;
  Shortcut shortcut = Shortcut::none;
  Layer shortcut_layer;
  Activation activation = Activation::none;
  bool tap = false;  ///< the result is handed out
};

/// A backbone with its weights: what an engine executes.
struct Network {
  BackboneDescription description;
  std::vector<Block> blocks;
  std::string weights_sha256;
  std::int64_t parameters = 0;  ///< weights and biases
};

/// Reads the weights that `description` names from a .safetensors file. Throws not_found, cannot_read and bad_format
/// (names file and tensor).
[[nodiscard]] Network read_network(const BackboneDescription& description, const std::filesystem::path& weights);

/// The same network with only `taps` (indices, ascending, at least one), up to the last of them.
[[nodiscard]] Network with_taps(Network network, std::span<const int> taps);

/// The same network with only `channels` (ascending, of its last tap) of the last block's result. Throws unsupported
/// where the last layer's channels cannot be chosen.
[[nodiscard]] Network with_last_channels(Network network, std::span<const int> channels);

}  // namespace padim
