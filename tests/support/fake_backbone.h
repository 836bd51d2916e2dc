#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "padim/backbone.h"

namespace padim::test {

/// A backbone without weights, cheap and deterministic: each tap is the mean over cells of stride x stride pixels of
/// red, green, blue and of the absolute differences to the right and lower neighbour. Enough to tell a foreign object
/// from its background.
class FakeBackbone : public Backbone, public std::enable_shared_from_this<FakeBackbone> {
 public:
  static constexpr int kChannels = 5;

  explicit FakeBackbone(std::string name = "efficientnet_lite0", std::string weights_sha256 = std::string(64, 'f')) {
    info_.name = std::move(name);
    info_.weights_sha256 = std::move(weights_sha256);
    info_.taps = {{"fine", kChannels, 4}, {"middle", kChannels, 8}, {"coarse", kChannels, 16}};
    info_.epsilon = 0.1;
    info_.epsilon_is_relative = true;
    info_.device = "cpu";
    info_.precision = "float32";
    last_channels_.resize(kChannels);
    std::iota(last_channels_.begin(), last_channels_.end(), 0);
  }

  [[nodiscard]] const BackboneInfo& info() const override { return info_; }

  [[nodiscard]] std::shared_ptr<const Backbone> with_taps(std::span<const int> taps) const override {
    if (taps.size() == info_.taps.size()) return shared_from_this();
    auto copy = std::make_shared<FakeBackbone>(*this);
    copy->info_.taps.clear();
    for (const int tap : taps) copy->info_.taps.push_back(info_.taps[static_cast<std::size_t>(tap)]);
    return copy;
  }

  [[nodiscard]] std::shared_ptr<const Backbone> with_last_tap_channels(std::span<const int> channels) const override {
    auto copy = std::make_shared<FakeBackbone>(*this);
    copy->last_channels_.assign(channels.begin(), channels.end());
    copy->info_.taps.back().channels = static_cast<int>(channels.size());
    return copy;
  }

  void run(std::span<const std::uint8_t> images, int batch, int height, int width, std::vector<TapMaps>& taps,
           int /*threads*/) const override {
    taps.resize(info_.taps.size());
    for (std::size_t i = 0; i < taps.size(); ++i) {
      const TapInfo& tap = info_.taps[i];
      taps[i].batch = batch;
      taps[i].height = height / tap.stride;
      taps[i].width = width / tap.stride;
      taps[i].channels = tap.channels;
      taps[i].values.clear();
      for (int b = 0; b < batch; ++b) {
        const auto size = static_cast<std::size_t>(height) * static_cast<std::size_t>(width) * 3;
        append_tap(images.subspan(static_cast<std::size_t>(b) * size, size), height, width, tap.stride,
                   i + 1 == taps.size(), taps[i].values);
      }
    }
  }

 private:
  void append_tap(std::span<const std::uint8_t> image, int height, int width, int stride, bool last,
                  std::vector<float>& values) const {
    for (int y = 0; y < height; y += stride) {
      for (int x = 0; x < width; x += stride) {
        float cell[kChannels] = {};
        for (int v = y; v < y + stride; ++v) {
          for (int u = x; u < x + stride; ++u) add_pixel(image, height, width, v, u, cell);
        }
        const float scale = 1.0F / (64.0F * static_cast<float>(stride * stride));
        for (int c = 0; c < kChannels; ++c) {
          if (!last || std::count(last_channels_.begin(), last_channels_.end(), c) > 0)
            values.push_back(cell[c] * scale);
        }
      }
    }
  }

  static void add_pixel(std::span<const std::uint8_t> image, int height, int width, int y, int x, float* cell) {
    const auto at = [&](int row, int column, int channel) {
      row = std::min(row, height - 1);
      column = std::min(column, width - 1);
      return static_cast<int>(image[static_cast<std::size_t>((row * width + column) * 3 + channel)]);
    };
    for (int c = 0; c < 3; ++c) cell[c] += static_cast<float>(at(y, x, c));
    cell[3] += static_cast<float>(std::abs(at(y, x + 1, 1) - at(y, x, 1)));
    cell[4] += static_cast<float>(std::abs(at(y + 1, x, 1) - at(y, x, 1)));
  }

  BackboneInfo info_;
  std::vector<int> last_channels_;
};

}  // namespace padim::test
