#pragma once

#include <functional>
#include <string>

#include "backbone/engine_module.h"

namespace padim {

/// What a machine has to say about its GPUs; asked only as far as the wanted device needs it.
struct Gpus {
  std::function<bool()> possible;                                  ///< cheap: the driver of one is there
  std::function<const EngineModule&(const EngineNeed&)> libtorch;  ///< as open_torch_engine()
};

/// "cpu" or "cuda:N": what `wanted` ("cpu", "cuda", "cuda:N", "auto") comes to. "auto" is the processor where no GPU is
/// possible, without a look at LibTorch, and where there is no LibTorch engine or none of its GPUs. Throws
/// invalid_argument and unsupported.
[[nodiscard]] std::string resolve_device(const std::string& wanted, const Gpus& gpus);

/// The same on this machine.
[[nodiscard]] std::string resolve_device(const std::string& wanted);

}  // namespace padim
