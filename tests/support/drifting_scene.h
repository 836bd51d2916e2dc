#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "fake_backbone.h"
#include "padim/fitter.h"
#include "random_numbers.h"

namespace padim::test {

inline constexpr Size kFrame{64, 48};

/// Noise on a ramp whose brightness flickers by up to 3 grey levels, never in a rhythm, and drifts with `time`.
inline std::vector<std::uint8_t> picture(int time, double drift = 0.2) {
  auto pixels =
      random_bytes(static_cast<std::size_t>(kFrame.width * kFrame.height * 3), static_cast<std::uint32_t>(time));
  const double flicker = (static_cast<int>(static_cast<std::uint32_t>(time + 1) * 2654435761U >> 16U) % 13 - 6) / 2.0;
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    const auto x = static_cast<double>(i / 3 % static_cast<std::size_t>(kFrame.width));
    pixels[i] = static_cast<std::uint8_t>(40 + x + drift * time + flicker + pixels[i] / 16.0);
  }
  return pixels;
}

inline ImageView view_of(const std::vector<std::uint8_t>& pixels) {
  ImageView view;
  view.width = kFrame.width;
  view.height = kFrame.height;
  view.data[0] = pixels.data();
  view.stride[0] = std::ptrdiff_t{kFrame.width} * 3;
  return view;
}

inline std::shared_ptr<const Backbone> backbone() { return std::make_shared<FakeBackbone>(); }

inline FitOptions options() {
  FitOptions result;
  result.input_size = {64, 48};
  result.threads = 1;
  result.batch_size = 1;
  result.augment = 0;  // of random copies no two fits have the same
  return result;
}

inline void add(Fitter& fitter, int first, int last, double drift = 0.2) {
  for (int i = first; i < last; ++i) fitter.add(view_of(picture(i, drift)));
}

}  // namespace padim::test
