#include "backbone/engines.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "backbone/engine_module.h"
#include "backbone/onednn.h"
#include "base/logging.h"

namespace padim {
namespace {

// oneDNN fuses activations and sums into convolutions, not into pools.
bool fits_onednn(const Network& network) {
  const auto plain = [](const Layer& layer) {
    return layer.description.kind == LayerKind::convolution || layer.description.activation == Activation::none;
  };
  return std::all_of(network.blocks.begin(), network.blocks.end(), [&](const Block& block) {
    const bool ends_plainly = block.shortcut == Shortcut::none && block.activation == Activation::none;
    return std::all_of(block.layers.begin(), block.layers.end(), plain) &&
           (ends_plainly || block.layers.back().description.kind == LayerKind::convolution);
  });
}

// Why oneDNN cannot serve, if so.
std::optional<EngineNeed> need_of_libtorch(const Network& network, const std::string& device, Precision precision) {
  if (device != "cpu") return EngineNeed{"device '" + device + "'", "use device cpu"};
  if (!onednn_computes_in(Precision::float32)) {
    return EngineNeed{"this padim, built without oneDNN,", "build it with -Donednn=enabled"};
  }
  if (!onednn_computes_in(precision)) {
    return EngineNeed{"precision '" + to_string(precision) + "' on this processor", "use precision float32"};
  }
  if (!fits_onednn(network)) {
    return EngineNeed{"backbone '" + network.description.name + "', in which a pool has an activation or a sum,",
                      "use another backbone"};
  }
  return {};
}

}  // namespace

EngineMaker engine_maker(const Network& network, const std::string& device, Precision precision) {
  if (const auto need = need_of_libtorch(network, device, precision)) {
    const EngineModule& libtorch = open_torch_engine(*need);
    return [&libtorch, device, precision](std::shared_ptr<const Network> part) {
      return libtorch.make(std::move(part), device, precision);
    };
  }
  log(LogLevel::info, "oneDNN, for backbone '" + network.description.name + "', in " + to_string(precision));
  return [precision](std::shared_ptr<const Network> part) { return make_onednn_engine(std::move(part), precision); };
}

}  // namespace padim
