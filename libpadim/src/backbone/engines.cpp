#include "backbone/engines.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "backbone/onednn.h"
#include "backbone/torch.h"
#include "padim/error.h"

namespace padim {
namespace {

#if PADIM_WITH_ONEDNN
// oneDNN fuses activations and sums into convolutions, not into pools.
bool suits_onednn(const Network& network) {
  const auto plain = [](const Layer& layer) {
    return layer.description.kind == LayerKind::convolution || layer.description.activation == Activation::none;
  };
  return std::all_of(network.blocks.begin(), network.blocks.end(), [&](const Block& block) {
    const bool ends_plainly = block.shortcut == Shortcut::none && block.activation == Activation::none;
    return std::all_of(block.layers.begin(), block.layers.end(), plain) &&
           (ends_plainly || block.layers.back().description.kind == LayerKind::convolution);
  });
}
#endif

}  // namespace

std::string resolve_device(const std::string& wanted) {
  const int devices = wanted == "cpu" ? 0 : torch_cuda_devices();
  if (wanted == "cpu" || (wanted == "auto" && devices == 0)) return "cpu";
  if (wanted == "auto" || wanted == "cuda") return resolve_device("cuda:0");
  const std::string prefix = "cuda:";
  const std::string digits = wanted.starts_with(prefix) ? wanted.substr(prefix.size()) : "";
  if (digits.empty() || digits.size() > 3 || digits.find_first_not_of("0123456789") != std::string::npos) {
    throw Error(ErrorCode::invalid_argument, "device '" + wanted + "' is unknown: use cpu, cuda, cuda:N or auto");
  }
  if (devices == 0) {
    throw Error(ErrorCode::unsupported, "device '" + wanted +
                                            "' is not available: this machine has no usable CUDA device, or " +
                                            torch_name() + " was built without CUDA; use cpu or auto");
  }
  const int index = std::stoi(digits);
  if (index >= devices) {
    throw Error(ErrorCode::unsupported, "device '" + wanted + "' is not available: this machine has " +
                                            std::to_string(devices) + " CUDA device(s)");
  }
  return prefix + std::to_string(index);
}

EngineMaker engine_maker(const Network& network, const std::string& device, Precision precision) {
#if PADIM_WITH_ONEDNN
  if (device == "cpu" && suits_onednn(network)) {
    return [precision](std::shared_ptr<const Network> part) { return make_onednn_engine(std::move(part), precision); };
  }
#endif
  return [device, precision](std::shared_ptr<const Network> part) {
    return make_torch_engine(std::move(part), device, precision);
  };
}

}  // namespace padim
