#pragma once

#include <string>

#include "backbone/engine.h"
#include "padim/backbone.h"

namespace padim {

/// The maker of the engine that executes `network`: oneDNN on the processor where it serves, else LibTorch. device: of
/// resolve_device(). precision: not automatic. Throws unsupported where it takes the LibTorch engine and there is none.
[[nodiscard]] EngineMaker engine_maker(const Network& network, const std::string& device, Precision precision);

}  // namespace padim
