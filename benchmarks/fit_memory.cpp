// fit_memory FRAMES: fits that many frames of 640x480 with the default configuration and prints the most memory that
// the process ever occupied, in MiB. It must not depend on FRAMES.

#include <sys/resource.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <vector>

#include "padim/padim.h"

namespace {

constexpr int kWidth = 640;
constexpr int kHeight = 480;

// Stripes that drift, with noise.
void draw(int frame, std::vector<std::uint8_t>& pixels) {
  std::uint32_t noise = static_cast<std::uint32_t>(frame) * 2654435761U + 1;
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    noise = noise * 1664525U + 1013904223U;
    pixels[i] = static_cast<std::uint8_t>(((i / 40) % 2) * 100 + 50 + (noise >> 28) + static_cast<unsigned>(frame % 7));
  }
}

double fit(int frames) {
  padim::BackboneOptions options;
  if (const char* folder = std::getenv("PADIM_BACKBONES")) options.search_path = {folder};
  padim::Fitter fitter(padim::open_backbone(options), {});
  std::vector<std::uint8_t> pixels(std::size_t{kWidth} * kHeight);
  padim::ImageView view;
  view.format = padim::PixelFormat::gray8;
  view.width = kWidth;
  view.height = kHeight;
  view.data = {pixels.data(), nullptr, nullptr};
  view.stride = {kWidth, 0, 0};
  for (int i = 0; i < frames; ++i) {
    draw(i, pixels);
    fitter.add(view);
  }
  const padim::Model model = fitter.finish();
  if (model.info().frames != frames || model.info().calibration.threshold <= 0) throw std::runtime_error("no model");
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    const int frames = count == 2 ? std::atoi(arguments[1]) : 0;
    if (frames < 4) throw std::runtime_error("usage: fit_memory FRAMES (4 or more)");
    std::printf("%.1f\n", fit(frames));
    return 0;
  } catch (const padim::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return error.code() == padim::ErrorCode::not_found ? 77 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
