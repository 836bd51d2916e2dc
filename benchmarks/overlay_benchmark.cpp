// Drawing on 1080p frames by the share of the frame that is hot. Budget: 0.7 ms for NV12 with 5 %, next to nothing for
// 0 %. The heat map is drawn on the same frame again and again, which changes its pixels but not the work. The pixels
// that the first drawing changes must be as many as the frame has hot ones.

#include "padim/overlay.h"
#include "stage.h"

namespace {

using padim::PixelFormat;

constexpr int kWidth = 1920;
constexpr int kHeight = 1080;
constexpr int kMapWidth = 336;
constexpr int kMapHeight = 192;

/// A disc of `percent` of the frame at shown score 0.6 with a soft rim, the rest at 0.1.
padim::Detection detection_with(int percent) {
  padim::Detection d;
  d.calibrated_threshold = 1;
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
  d.score = padim::shown_score(d.raw_score, d.calibrated_threshold);
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

// Text, boxes and contours change at most 3 % of the frame beside the heat map.
std::string check(const padim::MutableImageView& view, padim::OverlayParts parts, double hot) {
  const int step = view.format == PixelFormat::nv12 ? 1 : 3;
  int changed = 0;
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) changed += view.data[0][y * view.stride[0] + x * step] != 128 ? 1 : 0;
  }
  const double share = static_cast<double>(changed) / (kWidth * kHeight);
  const double allowed = parts.text || parts.boxes || parts.contour ? 0.03 : 0.003;
  if (share >= hot * 0.95 - 0.003 && share <= hot + allowed) return {};
  return std::to_string(share) + " of the frame changed";
}

void overlay(benchmark::State& state, PixelFormat format, padim::OverlayParts parts) {
  std::vector<std::uint8_t> bytes;
  const padim::MutableImageView view = frame_of(format, bytes);
  const padim::Detection detection = detection_with(static_cast<int>(state.range(0)));
  padim::OverlayOptions options;
  options.parts = parts;
  padim::Overlay painter(options);
  padim::bench::run_checked(
      state, [&] { painter.draw(view, detection); },
      [&] { return check(view, parts, static_cast<double>(state.range(0)) / 100); });
}

constexpr padim::OverlayParts kHeat{true, false, false, false};
constexpr padim::OverlayParts kDefault{};
constexpr padim::OverlayParts kAll{true, true, true, true};

BENCHMARK_CAPTURE(overlay, nv12_heat, PixelFormat::nv12, kHeat)
    ->Arg(0)
    ->Arg(5)
    ->Arg(100)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(overlay, nv12_default, PixelFormat::nv12, kDefault)
    ->Arg(0)
    ->Arg(5)
    ->Arg(100)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(overlay, nv12_all, PixelFormat::nv12, kAll)->Arg(0)->Arg(5)->Arg(100)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(overlay, bgr_heat, PixelFormat::bgr, kHeat)->Arg(0)->Arg(5)->Arg(100)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(overlay, bgr_all, PixelFormat::bgr, kAll)->Arg(0)->Arg(5)->Arg(100)->Unit(benchmark::kMillisecond);

}  // namespace
