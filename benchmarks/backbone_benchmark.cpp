// The trunk alone: one picture of 224 x 224, by network, precision and threads, on the engine that the library uses
// and on LibTorch. Each must give the taps of the other engine, or of itself in float32 for bfloat16.

#include "libtorch.h"
#include "random_numbers.h"
#include "stage.h"

namespace {

using padim::Precision;

constexpr int kSide = 224;

enum class Engine { chosen, torch };

std::shared_ptr<const padim::Backbone> open(Engine engine, const std::string& name, Precision precision) {
  if (engine == Engine::chosen) return padim::bench::open_or_null(name, precision);
  if (padim::bench::open_or_null(name, precision) == nullptr) return nullptr;
  return padim::bench::open_on_libtorch(name, precision);
}

void trunk(benchmark::State& state, const char* name, Engine engine, Precision precision, int threads) {
  const auto backbone = open(engine, name, precision);
  if (backbone == nullptr) return state.SkipWithError("skipped: its weights are not there");
  const auto other = open(engine == Engine::chosen ? Engine::torch : Engine::chosen, name, Precision::float32);
  const auto image = padim::test::random_bytes(std::size_t{kSide} * kSide * 3, 1);
  std::vector<padim::TapMaps> taps;
  std::vector<padim::TapMaps> expected;
  other->run(image, 1, kSide, kSide, expected, 1);
  const auto check = [&] {
    double error = 0;
    for (std::size_t t = 0; t < taps.size(); ++t) {
      error = std::max(error, padim::bench::relative_error(taps[t].values, expected[t].values));
    }
    return padim::bench::within(error, precision == Precision::float32 ? 1e-5 : 0.1);
  };
  padim::bench::run_checked(
      state, [&] { backbone->run(image, 1, kSide, kSide, taps, threads); }, check);
}

#define PADIM_TRUNK(network, precision)                                                                               \
  BENCHMARK_CAPTURE(trunk, network##_##precision##_1_thread, #network, Engine::chosen, Precision::precision, 1)       \
      ->Unit(benchmark::kMillisecond)                                                                                 \
      ->UseRealTime();                                                                                                \
  BENCHMARK_CAPTURE(trunk, network##_##precision##_2_threads, #network, Engine::chosen, Precision::precision, 2)      \
      ->Unit(benchmark::kMillisecond)                                                                                 \
      ->UseRealTime();                                                                                                \
  BENCHMARK_CAPTURE(trunk, network##_##precision##_1_thread_libtorch, #network, Engine::torch, Precision::precision,  \
                    1)                                                                                                \
      ->Unit(benchmark::kMillisecond)                                                                                 \
      ->UseRealTime();                                                                                                \
  BENCHMARK_CAPTURE(trunk, network##_##precision##_2_threads_libtorch, #network, Engine::torch, Precision::precision, \
                    2)                                                                                                \
      ->Unit(benchmark::kMillisecond)                                                                                 \
      ->UseRealTime()

PADIM_TRUNK(efficientnet_lite0, float32);
PADIM_TRUNK(efficientnet_lite0, bfloat16);
PADIM_TRUNK(resnet18, float32);
PADIM_TRUNK(resnet18, bfloat16);

}  // namespace
