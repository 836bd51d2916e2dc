// How long the element takes from READY to PLAYING with a model of about 32 MB, warm-up included, and until its first
// frame has come out: milliseconds, the least of several starts, after one that fills the disk's cache.

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "pipeline_parts.h"

namespace {

using namespace padim::bench;

constexpr int kStarts = 5;

// P = 3136 positions, d = 100: 32 MB of whiteners.
void make_model(const Camera& camera, const std::string& file) {
  padim::FitOptions options;
  options.grid = padim::Grid::finest;
  options.reduction = padim::ReductionKind::random;
  options.geometry = padim::GeometryMode::paper;
  padim::Fitter fitter(open_or_skip("efficientnet_lite0"), options);
  for (int i = 0; i < camera.frames(); ++i) fitter.add(camera.view(i));
  fitter.finish().stripped().save(file);
}

}  // namespace

int main(int count, char** arguments) {
  gst_init(&count, &arguments);
  const Camera camera(640, 480, 16);
  const std::string file = std::filesystem::temp_directory_path() / "padim-start-up.padim";
  make_model(camera, file);
  double playing = 1e9;
  double first_frame = 1e9;
  for (int i = 0; i <= kStarts; ++i) {
    ElementPipeline pipeline(camera, file);
    pipeline.load(0, 1);
    const double start = seconds_of([&] { pipeline.play(); });
    const double frame = seconds_of([&] { pipeline.run(); });
    if (i == 0) continue;
    playing = std::min(playing, start);
    first_frame = std::min(first_frame, start + frame);
  }
  std::printf("%.0f %.0f %.0f\n", static_cast<double>(std::filesystem::file_size(file)) / 1e6, playing * 1e3,
              first_frame * 1e3);
  std::filesystem::remove(file);
  return 0;
}
