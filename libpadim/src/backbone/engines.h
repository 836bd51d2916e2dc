#pragma once

#include <memory>
#include <string>

#include "backbone/network.h"
#include "padim/backbone.h"

namespace padim {

/// "cpu" or "cuda:N": what `wanted` ("cpu", "cuda", "cuda:N", "auto") comes to on this machine. Throws invalid_argument
/// and unsupported.
[[nodiscard]] std::string resolve_device(const std::string& wanted);

/// LibTorch, on any device that resolve_device() returns. precision: not automatic.
[[nodiscard]] std::shared_ptr<const Backbone> make_torch_backbone(std::shared_ptr<const Network> network,
                                                                  const std::string& device, Precision precision);

/// oneDNN, on the processor; in libraries built with it. precision: not automatic.
[[nodiscard]] std::shared_ptr<const Backbone> make_onednn_backbone(std::shared_ptr<const Network> network,
                                                                   Precision precision);

/// What info() says of a network.
[[nodiscard]] BackboneInfo describe(const Network& network, const std::string& device, Precision precision);

}  // namespace padim
