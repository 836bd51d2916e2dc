#pragma once

#include <memory>
#include <string>

#include "backbone/engine.h"
#include "backbone/network.h"
#include "padim/backbone.h"

namespace padim {

/// A backbone that executes `network` with the engine that `make` makes, which may know a device and a precision; they
/// are stated for info() alone. The parts of it that others ask for run on engines of the same maker.
[[nodiscard]] std::shared_ptr<const Backbone> make_network_backbone(std::shared_ptr<const Network> network,
                                                                    const std::string& device, Precision precision,
                                                                    EngineMaker make);

}  // namespace padim
