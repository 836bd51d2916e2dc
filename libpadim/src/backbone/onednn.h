#pragma once

#include <memory>

#include "backbone/engine.h"

namespace padim {

/// oneDNN, on the processor; in libraries built with it. precision: not automatic.
[[nodiscard]] std::unique_ptr<const Engine> make_onednn_engine(std::shared_ptr<const Network> network,
                                                               Precision precision);

}  // namespace padim
