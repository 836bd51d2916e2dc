#pragma once

#include <memory>
#include <string>

#include "backbone/engine.h"

namespace padim {

/// LibTorch, on any device that resolve_device() returns. precision: not automatic.
[[nodiscard]] std::unique_ptr<const Engine> make_torch_engine(std::shared_ptr<const Network> network,
                                                              const std::string& device, Precision precision);

/// CUDA devices that LibTorch can use.
[[nodiscard]] int torch_cuda_devices();

/// Its version: "LibTorch 1.13.1".
[[nodiscard]] const char* torch_name();

}  // namespace padim
