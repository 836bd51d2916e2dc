// Runs a described backbone on pictures and writes its taps, for comparison with independent forwards:
// dump_taps DESCRIPTION.json WEIGHTS.safetensors INPUT.npy OUTPUT_DIR float32|bfloat16
// INPUT: uint8 [B, H, W, 3] RGB; OUTPUT_DIR/<tap>.npy: float32 [B, h, w, C].

#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>

#include "npy.h"
#include "padim/backbone.h"

namespace {

int dump(char** arguments) {
  padim::BackboneOptions options;
  options.description_file = arguments[1];
  options.weights_file = arguments[2];
  options.name = std::filesystem::path(arguments[1]).stem();
  options.precision = padim::parse_precision(arguments[5]);
  const auto backbone = padim::open_backbone(options);
  const auto input = padim::test::read_npy<std::uint8_t>(arguments[3]);
  const auto length = [&](std::size_t i) { return static_cast<int>(input.shape.at(i)); };
  std::vector<padim::TapMaps> taps;
  backbone->run(input.values, length(0), length(1), length(2), taps, 1);
  for (std::size_t t = 0; t < taps.size(); ++t) {
    const padim::TapMaps& tap = taps[t];
    padim::test::write_npy((std::filesystem::path(arguments[4]) / (backbone->info().taps[t].name + ".npy")).string(),
                           {tap.batch, tap.height, tap.width, tap.channels}, tap.values);
  }
  std::printf("{\"backbone\": \"%s\", \"parameters\": %lld}\n", backbone->info().name.c_str(),
              static_cast<long long>(backbone->info().parameters));
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    if (count == 6) return dump(arguments);
    std::fprintf(stderr, "usage: dump_taps DESCRIPTION WEIGHTS INPUT OUTPUT_DIR PRECISION\n");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "dump_taps: %s\n", error.what());
  }
  return 1;
}
