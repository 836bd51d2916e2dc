#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "backbone/network.h"
#include "padim/backbone.h"

namespace padim {

/// Executes one network on one device in one precision. Immutable; run() may be called from several threads at once.
class Engine {
 public:
  Engine() = default;
  virtual ~Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// As Backbone::run().
  virtual void run(std::span<const std::uint8_t> images, int batch, int height, int width, std::vector<TapMaps>& taps,
                   int threads) const = 0;
};

/// Makes an engine for a network; throws Error.
using EngineMaker = std::function<std::unique_ptr<const Engine>(std::shared_ptr<const Network>)>;

}  // namespace padim
