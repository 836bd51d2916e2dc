// What a SceneMonitor needs of each frame: the look of the network's input and the median of the patch distances. The
// picture has stripes of 100 and 140 and the distances are 0, 1, 2, ...: mean, deviation, steps and median are known.

#include "scene/appearance.h"

#include <numeric>

#include "scene/limits.h"
#include "stage.h"

namespace {

void scene(benchmark::State& state, padim::Size input) {
  const auto pixels = static_cast<std::size_t>(input.width) * static_cast<std::size_t>(input.height);
  std::vector<std::uint8_t> rgb(pixels * 3);
  for (std::size_t i = 0; i < rgb.size(); ++i) rgb[i] = i / 3 % 2 == 0 ? 100 : 140;
  std::vector<float> distances(pixels / 256);
  std::iota(distances.begin(), distances.end(), 0.F);
  std::vector<float> sorted;
  padim::Onlooker onlooker(input, {});
  padim::Look look;
  float median = 0;
  padim::bench::run_checked(
      state,
      [&] {
        look = onlooker.look(rgb);
        median = padim::median_distance(distances, {}, sorted);
      },
      [&]() -> std::string {
        if (look.appearance.luma != 120 || look.appearance.contrast != 20) return "luma or contrast";
        return median == static_cast<float>(distances.size() / 2) ? "" : "median " + std::to_string(median);
      });
}

BENCHMARK_CAPTURE(scene, 256x256, padim::Size{256, 256})->Unit(benchmark::kMillisecond);

}  // namespace
