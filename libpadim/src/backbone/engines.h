#pragma once

#include <string>

#include "backbone/engine.h"
#include "padim/backbone.h"

namespace padim {

/// "cpu" or "cuda:N": what `wanted` ("cpu", "cuda", "cuda:N", "auto") comes to on this machine. Throws invalid_argument
/// and unsupported.
[[nodiscard]] std::string resolve_device(const std::string& wanted);

/// The maker of the engine that executes `network`: oneDNN on the processor where it serves, else LibTorch. device: of
/// resolve_device(). precision: not automatic.
[[nodiscard]] EngineMaker engine_maker(const Network& network, const std::string& device, Precision precision);

}  // namespace padim
