#include "backbone/description.h"

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <stdexcept>
#include <string_view>

#include "base/file.h"
#include "padim/error.h"
#include "padim/limits.h"

namespace padim {
namespace {

using Json = nlohmann::json;

constexpr int kMaximumChannels = 1 << 16;
constexpr int kMaximumKernel = 31;
constexpr int kMaximumStride = 8;
constexpr std::size_t kMaximumBlocks = 1000;
constexpr std::size_t kMaximumFile = 1U << 20;

// Thrown with the place and the cause; parse_backbone_description adds what is read.
struct Defect : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A misspelt field would be as good as absent: a layer without its tap, a convolution without its stride.
void check_fields(const Json& object, const char* what, std::initializer_list<std::string_view> known) {
  if (!object.is_object()) throw Defect(std::string(what) + " must be an object");
  for (const auto& [field, value] : object.items()) {
    if (std::ranges::find(known, field) != known.end()) continue;
    std::string list;
    for (const std::string_view name : known) list += (list.empty() ? "" : ", ") + std::string(name);
    throw Defect(std::string(what) + " has no field '" + field + "'; known are " + list);
  }
}

int integer(const Json& object, const char* field, int fallback, int maximum) {
  // A conversion to int would cut off fractions and high bits.
  const auto found = object.find(field);
  const bool given = found != object.end();
  const bool whole = !given || found->is_number_integer();
  const std::int64_t value = given && whole ? found->get<std::int64_t>() : fallback;
  if (!whole || value < 1 || value > maximum) {
    throw Defect(std::string("'") + field + "' must be 1.." + std::to_string(maximum));
  }
  return static_cast<int>(value);
}

template <class Value>
Value choice(const Json& object, const char* field, const char* fallback,
             std::initializer_list<std::pair<const char*, Value>> choices) {
  const std::string name = object.value(field, fallback);
  std::string known;
  for (const auto& [text, value] : choices) {
    if (name == text) return value;
    known += std::string(known.empty() ? "" : ", ") + text;
  }
  throw Defect(std::string("'") + field + "' is '" + name + "'; known are " + known);
}

Activation activation_of(const Json& object) {
  return choice<Activation>(object, "activation", "none",
                            {{"none", Activation::none}, {"relu", Activation::relu}, {"relu6", Activation::relu6}});
}

void check_layer_fields(const Json& json) {
  if (json.contains("max_pool")) return check_fields(json, "a pooling", {"max_pool", "stride", "activation"});
  check_fields(json, "a convolution", {"conv", "norm", "channels", "kernel", "stride", "groups", "activation"});
}

LayerDescription parse_layer(const Json& json, int input_channels) {
  check_layer_fields(json);
  LayerDescription layer;
  layer.input_channels = input_channels;
  layer.stride = integer(json, "stride", 1, kMaximumStride);
  layer.activation = activation_of(json);
  if (json.contains("max_pool")) {
    layer.kind = LayerKind::max_pool;
    layer.kernel = integer(json, "max_pool", 0, kMaximumKernel);
    layer.channels = input_channels;
  } else {
    layer.key = json.at("conv").get<std::string>();
    layer.norm = json.value("norm", "");
    layer.kernel = integer(json, "kernel", 0, kMaximumKernel);
    layer.channels = integer(json, "channels", 0, kMaximumChannels);
    layer.groups = integer(json, "groups", 1, kMaximumChannels);
  }
  if (layer.kernel % 2 == 0) throw Defect("kernels must have an odd size");
  if (layer.input_channels % layer.groups != 0 || layer.channels % layer.groups != 0) {
    throw Defect("'groups' must divide the channels of '" + layer.key + "'");
  }
  return layer;
}

void parse_shortcut(const Json& json, int input_channels, int stride, BlockDescription& block) {
  if (!json.contains("shortcut")) return;
  const auto& shortcut = json.at("shortcut");
  int channels = input_channels;
  int shortcut_stride = 1;
  if (shortcut.is_string() && shortcut.get<std::string>() == "identity") {
    block.shortcut = Shortcut::identity;
  } else {
    block.shortcut = Shortcut::convolution;
    block.shortcut_layer = parse_layer(shortcut, input_channels);
    if (block.shortcut_layer.kind != LayerKind::convolution) throw Defect("a shortcut is \"identity\" or a conv");
    channels = block.shortcut_layer.channels;
    shortcut_stride = block.shortcut_layer.stride;
  }
  if (channels != block.layers.back().channels || shortcut_stride != stride) {
    throw Defect("the shortcut's channels and stride differ from those of the layers");
  }
}

// Shape of the data between blocks.
struct Flow {
  int channels = 3;
  int stride = 1;
};

BlockDescription parse_block(const Json& json, Flow& flow) {
  check_fields(json, "a block", {"name", "layers", "shortcut", "activation", "tap"});
  BlockDescription block;
  block.name = json.value("name", "");
  block.activation = activation_of(json);
  block.tap = json.value("tap", "");
  int channels = flow.channels;
  int stride = 1;
  for (const auto& layer : json.at("layers")) {
    block.layers.push_back(parse_layer(layer, channels));
    channels = block.layers.back().channels;
    stride *= block.layers.back().stride;
    if (stride * flow.stride > 256) throw Defect("the strides multiply to more than 256");
  }
  if (block.layers.empty()) throw Defect("'layers' is empty");
  parse_shortcut(json, flow.channels, stride, block);
  flow = {channels, flow.stride * stride};
  return block;
}

void parse_blocks(const Json& json, BackboneDescription& description) {
  Flow flow;
  std::set<std::string> names;
  if (json.at("blocks").size() > kMaximumBlocks) throw Defect("more than 1000 blocks");
  for (const auto& entry : json.at("blocks")) {
    try {
      description.blocks.push_back(parse_block(entry, flow));
    } catch (const std::exception& error) {
      throw Defect("block " + std::to_string(description.blocks.size()) + ": " + error.what());
    }
    const std::string& tap = description.blocks.back().tap;
    if (tap.empty()) continue;
    if (!names.insert(tap).second) throw Defect("tap '" + tap + "' is named twice");
    description.taps.push_back({tap, flow.channels, flow.stride});
  }
  if (description.taps.empty()) throw Defect("no block has a 'tap'");
  while (description.blocks.back().tap.empty()) description.blocks.pop_back();
}

void parse_input(const Json& json, BackboneDescription& description) {
  check_fields(json, "'input'", {"mean", "std"});
  json.at("mean").get_to(description.mean);
  json.at("std").get_to(description.std);
  if (!std::all_of(description.std.begin(), description.std.end(), [](float s) { return s > 0; })) {
    throw Defect("'std' must be positive");
  }
}

void parse_epsilon(const Json& json, BackboneDescription& description) {
  check_fields(json, "'epsilon'", {"absolute", "relative"});
  if (json.size() > 1) throw Defect("'epsilon' is either absolute or relative");
  description.epsilon_is_relative = json.contains("relative");
  json.at(description.epsilon_is_relative ? "relative" : "absolute").get_to(description.epsilon);
  if (!(description.epsilon > 0)) throw Defect("'epsilon' must be positive");
}

void parse_weights(const Json& json, BackboneDescription& description) {
  check_fields(json, "'weights'", {"file", "licence", "source"});
  description.weights_source = json.value("source", "");
}

BackboneDescription parse(const Json& json) {
  check_fields(json, "a description",
               {"name", "title", "input", "padding", "batch_norm_epsilon", "epsilon", "prior", "weights", "blocks"});
  BackboneDescription description;
  description.name = json.at("name").get<std::string>();
  parse_input(json.at("input"), description);
  description.padding =
      choice<Padding>(json, "padding", "symmetric", {{"symmetric", Padding::symmetric}, {"same", Padding::same}});
  description.batch_norm_epsilon = json.value("batch_norm_epsilon", 1e-5);
  if (!(description.batch_norm_epsilon >= 0)) throw Defect("'batch_norm_epsilon' must not be negative");
  if (json.contains("epsilon")) parse_epsilon(json.at("epsilon"), description);
  description.prior = json.value("prior", kPrior.fallback);
  if (!kPrior.contains(description.prior)) throw Defect("'prior' must not be negative, and at most 1e6");
  if (json.contains("weights")) parse_weights(json.at("weights"), description);
  parse_blocks(json, description);
  return description;
}

[[noreturn]] void refuse(const std::string& what, const std::string& cause) {
  throw Error(ErrorCode::bad_format,
              "cannot use backbone description " + what + ": " + cause + " (see models/README.md)");
}

}  // namespace

BackboneDescription parse_backbone_description(std::string_view text, const std::string& what) {
  try {
    return parse(Json::parse(text));
  } catch (const std::exception& error) {
    refuse(what, error.what());
  }
}

BackboneDescription load_backbone_description(const std::filesystem::path& file) {
  const InputFile input(file, "backbone description");
  const std::string what = "'" + file.string() + "'";
  if (input.size() > kMaximumFile) refuse(what, "it is larger than a description can be");
  std::string text(input.size(), '\0');
  input.read(0, std::as_writable_bytes(std::span(text)));
  input.check_unchanged();
  return parse_backbone_description(text, what);
}

}  // namespace padim
