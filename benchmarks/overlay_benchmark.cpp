#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "padim/overlay.h"

// Drawing on 1080p frames by the share of the frame that is hot. Budget: 0.7 ms for NV12 with 5 %, next to nothing for
// 0 %. The heat map is drawn on the same frame again and again, which changes its pixels but not the work.

namespace {

using padim::PixelFormat;

constexpr int kWidth = 1920;
constexpr int kHeight = 1080;
constexpr int kMapWidth = 336;
constexpr int kMapHeight = 192;

/// A disc of `percent` of the frame at shown score 0.6 with a soft rim, the rest at 0.1.
padim::Detection detection_with(int percent) {
  padim::Detection d;
  d.calibrated = 1;
  d.map = {kMapWidth, kMapHeight, {}};
  d.mapping = {0, 0, static_cast<double>(kWidth) / kMapWidth, static_cast<double>(kHeight) / kMapHeight};
  const double radius = percent >= 100 ? 1e6 : std::sqrt(percent / 100.0 * kMapWidth * kMapHeight / M_PI);
  for (int y = 0; y < kMapHeight; ++y) {
    for (int x = 0; x < kMapWidth; ++x) {
      const double inside = radius - std::hypot(x - kMapWidth / 2, y - kMapHeight / 2);
      d.map.values.push_back(percent > 0 && inside > 0 ? static_cast<float>(0.43 + std::min(1.07, inside * 0.2))
                                                       : 0.1F);
    }
  }
  d.anomalous = percent > 0;
  d.raw_score = percent > 0 ? 1.5 : 0.1;
  d.score = padim::shown_score(d.raw_score, d.calibrated);
  if (d.anomalous) {
    const int side = percent >= 100 ? kHeight : static_cast<int>(2 * radius * d.mapping.scale_x);
    d.regions.push_back({(kWidth - side) / 2, (kHeight - side) / 2, side, side, 0.75 * side * side, 0.6});
  }
  return d;
}

padim::MutableImageView frame_of(PixelFormat format, std::vector<std::uint8_t>& bytes) {
  constexpr std::size_t kPixels = static_cast<std::size_t>(kWidth) * kHeight;
  bytes.assign(kPixels * 3, 128);
  padim::MutableImageView view;
  view.format = format;
  view.width = kWidth;
  view.height = kHeight;
  const bool planar = format == PixelFormat::nv12;
  view.data = {bytes.data(), planar ? bytes.data() + kPixels : nullptr, nullptr};
  view.stride = {planar ? kWidth : 3 * kWidth, kWidth, 0};
  return view;
}

void run(benchmark::State& state, PixelFormat format, padim::OverlayParts parts) {
  std::vector<std::uint8_t> bytes;
  const padim::MutableImageView view = frame_of(format, bytes);
  const padim::Detection detection = detection_with(static_cast<int>(state.range(0)));
  padim::OverlayOptions options;
  options.parts = parts;
  padim::Overlay overlay(options);
  for (auto _ : state) {
    overlay.draw(view, detection);
    benchmark::ClobberMemory();
  }
  const bool drawn = bytes[static_cast<std::size_t>(kHeight / 2 * view.stride[0] + view.stride[0] / 2)] != 128;
  if (drawn != (state.range(0) > 0)) state.SkipWithError("the heat map is not where it should be");
}

constexpr padim::OverlayParts kHeat{true, false, false, false};
constexpr padim::OverlayParts kDefault{};
constexpr padim::OverlayParts kAll{true, true, true, true};

BENCHMARK_CAPTURE(run, nv12_heat, PixelFormat::nv12, kHeat)->Arg(0)->Arg(5)->Arg(100)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(run, nv12_default, PixelFormat::nv12, kDefault)
    ->Arg(0)
    ->Arg(5)
    ->Arg(100)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(run, nv12_all, PixelFormat::nv12, kAll)->Arg(0)->Arg(5)->Arg(100)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(run, bgr_heat, PixelFormat::bgr, kHeat)->Arg(0)->Arg(5)->Arg(100)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(run, bgr_all, PixelFormat::bgr, kAll)->Arg(0)->Arg(5)->Arg(100)->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
