#pragma once

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "backbone/network.h"
#include "backbone/search.h"
#include "torch_engine.h"

namespace padim::bench {

/// The backbone `name` on the LibTorch engine that lies in $PADIM_ENGINES, with its weights from $PADIM_BACKBONES.
inline std::shared_ptr<const Backbone> open_on_libtorch(const std::string& name, Precision precision) {
  BackboneOptions options;
  options.name = name;
  if (const char* folder = std::getenv("PADIM_BACKBONES")) options.search_path = {folder};
  const BackboneFiles files = find_backbone_files(options);
  auto network = std::make_shared<const Network>(read_network(read_description(files, name), files.weights));
  return test::torch_backbone(std::move(network), precision);
}

}  // namespace padim::bench
