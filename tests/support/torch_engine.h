#pragma once

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <utility>
#include <vector>

#include "backbone/engine_module.h"
#include "backbone/network_backbone.h"

namespace padim::test {

/// `network` on the LibTorch engine that lies in $PADIM_ENGINES, on the processor.
inline std::shared_ptr<const Backbone> torch_backbone(std::shared_ptr<const Network> network, Precision precision) {
  const char* folder = std::getenv("PADIM_ENGINES");
  const std::vector<std::filesystem::path> folders{folder == nullptr ? "." : folder};
  const EngineNeed need{"this comparison", "skip it"};
  const EngineModule& libtorch = open_torch_engine(folders, need);
  return make_network_backbone(std::move(network), "cpu", precision,
                               [&libtorch, precision](std::shared_ptr<const Network> part) {
                                 return libtorch.make(std::move(part), "cpu", precision);
                               });
}

}  // namespace padim::test
