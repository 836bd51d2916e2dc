#pragma once

#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "backbonefactory.h"
#include "support/fake_backbone.h"

namespace padim::test {

/// A fake backbone that calls a function before each run, from whichever thread runs it.
class HookedBackbone : public FakeBackbone {
 public:
  explicit HookedBackbone(std::function<void()> hook) : hook_(std::move(hook)) {}

  // The channels are all used.
  [[nodiscard]] std::shared_ptr<const Backbone> with_last_tap_channels(std::span<const int>) const override {
    return std::make_shared<HookedBackbone>(*this);
  }

  void run(std::span<const std::uint8_t> images, int batch, int height, int width, std::vector<TapMaps>& taps,
           int threads) const override {
    hook_();
    FakeBackbone::run(images, batch, height, width, taps, threads);
  }

 private:
  std::function<void()> hook_;
};

/// While it lives, elements that start get a HookedBackbone.
class BackboneHook {
 public:
  explicit BackboneHook(std::function<void()> hook) {
    gst::set_backbone_factory(
        [hook = std::move(hook)](const BackboneOptions&) { return std::make_shared<HookedBackbone>(hook); });
  }
  ~BackboneHook() {
    gst::set_backbone_factory(
        [](const BackboneOptions& options) { return std::make_shared<FakeBackbone>(options.name); });
  }
  BackboneHook(const BackboneHook&) = delete;
  BackboneHook& operator=(const BackboneHook&) = delete;
};

}  // namespace padim::test
