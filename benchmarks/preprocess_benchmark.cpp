// 1080p frames to the network's input. The frame is a ramp from left to right, which antialiased resizing must keep:
// away from the borders each output column has the grey level of the ramp at its centre.

#include "image/preprocess.h"
#include "stage.h"

namespace {

using padim::PixelFormat;

constexpr int kWidth = 1920;
constexpr int kHeight = 1080;
constexpr int kPad = 64;  // bytes behind each row

struct Frame {
  explicit Frame(PixelFormat format) {
    const bool yuv = padim::is_yuv(format);
    view.format = format;
    view.width = kWidth;
    view.height = kHeight;
    view.range = padim::YuvRange::full;
    add_plane(0, yuv ? 1 : 3, kWidth, kHeight, true);
    if (format == PixelFormat::nv12) add_plane(1, 2, kWidth / 2, kHeight / 2, false);
    if (format == PixelFormat::i420) add_plane(1, 1, kWidth / 2, kHeight / 2, false);
    if (format == PixelFormat::i420) add_plane(2, 1, kWidth / 2, kHeight / 2, false);
  }

  // A ramp from 0 to 255, or neutral chroma.
  void add_plane(std::size_t plane, int channels, int width, int height, bool ramp) {
    const int stride = width * channels + kPad;
    bytes[plane].assign(static_cast<std::size_t>(stride) * static_cast<std::size_t>(height), 128);
    view.data[plane] = bytes[plane].data();
    view.stride[plane] = stride;
    if (!ramp) return;
    for (int y = 0; y < height; ++y) {
      for (int i = 0; i < width * channels; ++i) {
        bytes[plane][static_cast<std::size_t>(y * stride + i)] = static_cast<std::uint8_t>(i / channels * 256 / width);
      }
    }
  }

  padim::ImageView view;
  std::vector<std::uint8_t> bytes[3];
};

std::string check(const std::vector<std::uint8_t>& rgb, padim::Size input) {
  for (int y = 0; y < input.height; ++y) {
    for (int x = 4; x < input.width - 4; ++x) {
      const double expected = (x + 0.5) * 256 / input.width - 0.5;
      for (int c = 0; c < 3; ++c) {
        const int value = rgb[static_cast<std::size_t>((y * input.width + x) * 3 + c)];
        if (std::abs(value - expected) > 2) return "column " + std::to_string(x) + " is " + std::to_string(value);
      }
    }
  }
  return {};
}

void preprocess(benchmark::State& state, PixelFormat format, padim::Size input) {
  const Frame frame(format);
  padim::Preprocessor preprocessor({padim::GeometryMode::full, input, {kWidth, kHeight}});
  std::vector<std::uint8_t> rgb(static_cast<std::size_t>(input.width) * static_cast<std::size_t>(input.height) * 3);
  padim::bench::run_checked(
      state, [&] { preprocessor.run(frame.view, rgb); }, [&] { return check(rgb, input); });
}

#define PADIM_PREPROCESS(name, format) \
  BENCHMARK_CAPTURE(preprocess, name, PixelFormat::format, padim::Size{336, 192})->Unit(benchmark::kMillisecond)

PADIM_PREPROCESS(nv12_1080p, nv12);
PADIM_PREPROCESS(i420_1080p, i420);
PADIM_PREPROCESS(bgr_1080p, bgr);

}  // namespace
