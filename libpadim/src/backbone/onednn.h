#pragma once

#include <memory>

#include "backbone/engine.h"

namespace padim {

/// Whether oneDNN is there and computes in `precision` (not automatic) on this processor.
[[nodiscard]] bool onednn_computes_in(Precision precision);

/// oneDNN, on the processor. precision: one that it computes in.
[[nodiscard]] std::unique_ptr<const Engine> make_onednn_engine(std::shared_ptr<const Network> network,
                                                               Precision precision);

}  // namespace padim
