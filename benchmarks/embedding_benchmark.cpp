// Taps to embedding: the default (all 256 channels on the coarsest grid of a 256 x 256 input) and the published one
// (100 of 448 channels on the finest grid of 224 x 224), and both with projections to 100 dimensions instead, against
// sums in double precision over each position's cell.

#include "embedding/embedding.h"

#include <numeric>

#include "embedding/channel_selection.h"
#include "embedding/semi_orthogonal.h"
#include "random_numbers.h"
#include "stage.h"

namespace {

using padim::Grid;

const std::vector<padim::TapInfo> kLite{{"block2", 24, 4}, {"block4", 40, 8}, {"block7", 80, 16}, {"block10", 112, 16}};
const std::vector<padim::TapInfo> kResNet{{"layer1", 64, 4}, {"layer2", 128, 8}, {"layer3", 256, 16}};

std::vector<padim::TapMaps> random_taps(const std::vector<padim::TapInfo>& infos, int side, int last_channels) {
  std::vector<padim::TapMaps> taps;
  for (std::size_t t = 0; t < infos.size(); ++t) {
    const int cells = side / infos[t].stride;
    const int channels = t + 1 == infos.size() ? last_channels : infos[t].channels;
    const auto count = static_cast<std::size_t>(cells) * static_cast<std::size_t>(cells * channels);
    taps.push_back({1, cells, cells, channels, padim::test::normal_floats(count, static_cast<std::uint32_t>(t), 1)});
  }
  return taps;
}

// The mean over all cells of the tap that the position covers; for a coarser tap, the cell that covers the position.
double expected(const padim::TapMaps& tap, int stride, int cell, int x, int y, int channel) {
  const int fine = std::max(cell / stride, 1);
  double sum = 0;
  for (int v = y * cell / stride; v < y * cell / stride + fine; ++v) {
    for (int u = x * cell / stride; u < x * cell / stride + fine; ++u) {
      sum += static_cast<double>(tap.values[static_cast<std::size_t>((v * tap.width + u) * tap.channels + channel)]);
    }
  }
  return sum / fine / fine;
}

std::string check(const std::vector<padim::TapInfo>& infos, const std::vector<padim::TapMaps>& taps,
                  const std::vector<int>& channels, const std::vector<int>& last, int cell, int side,
                  const std::vector<float>& output) {
  std::vector<double> wanted;
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      for (const int index : channels) {
        int channel = index;
        std::size_t t = 0;
        while (channel >= infos[t].channels) channel -= infos[t++].channels;
        if (t + 1 == infos.size()) {
          channel = static_cast<int>(std::find(last.begin(), last.end(), channel) - last.begin());
        }
        wanted.push_back(expected(taps[t], infos[t].stride, cell, x, y, channel));
      }
    }
  }
  return padim::bench::within(padim::bench::relative_error(output, wanted), 1e-6);
}

void embed(benchmark::State& state, const std::vector<padim::TapInfo>& infos, Grid grid, std::vector<int> channels,
           int input) {
  const padim::Embedding embedding(infos, grid, channels);
  const auto taps = random_taps(infos, input, static_cast<int>(embedding.last_tap_channels().size()));
  const padim::Size positions = embedding.positions({input, input});
  std::vector<float> output(static_cast<std::size_t>(positions.width * positions.height * embedding.dimensions()));
  padim::bench::run_checked(
      state, [&] { embedding.run(taps, 0, output); },
      [&] {
        return check(infos, taps, channels, embedding.last_tap_channels(), input / positions.width, positions.width,
                     output);
      });
}

// The whole concatenation at each position, multiplied with R [F, d].
std::string check_projection(const std::vector<padim::TapInfo>& infos, const std::vector<padim::TapMaps>& taps,
                             const std::vector<float>& matrix, std::size_t d, int cell, int side,
                             const std::vector<float>& output) {
  std::vector<double> wanted;
  for (int p = 0; p < side * side; ++p) {
    std::vector<double> x(d);
    std::size_t row = 0;
    for (std::size_t t = 0; t < infos.size(); ++t) {
      for (int c = 0; c < infos[t].channels; ++c, ++row) {
        const double value = expected(taps[t], infos[t].stride, cell, p % side, p / side, c);
        for (std::size_t j = 0; j < d; ++j) x[j] += value * static_cast<double>(matrix[row * d + j]);
      }
    }
    wanted.insert(wanted.end(), x.begin(), x.end());
  }
  return padim::bench::within(padim::bench::relative_error(output, wanted), 1e-5);
}

void project(benchmark::State& state, const std::vector<padim::TapInfo>& infos, Grid grid, int input) {
  constexpr int kDimensions = 100;
  int channels = 0;
  for (const padim::TapInfo& tap : infos) channels += tap.channels;
  const std::vector<float> matrix = padim::semi_orthogonal(1024, channels, kDimensions);
  const padim::Embedding embedding(infos, grid, matrix, kDimensions);
  const auto taps = random_taps(infos, input, infos.back().channels);
  const padim::Size positions = embedding.positions({input, input});
  std::vector<float> output(static_cast<std::size_t>(positions.width * positions.height * kDimensions));
  padim::bench::run_checked(
      state, [&] { embedding.run(taps, 0, output); },
      [&] {
        return check_projection(infos, taps, matrix, kDimensions, input / positions.width, positions.width, output);
      });
}

std::vector<int> first_channels(int count) {
  std::vector<int> channels(static_cast<std::size_t>(count));
  std::iota(channels.begin(), channels.end(), 0);
  return channels;
}

void embedding_default(benchmark::State& state) { embed(state, kLite, Grid::coarsest, first_channels(256), 256); }
BENCHMARK(embedding_default)->Unit(benchmark::kMillisecond);

void embedding_published(benchmark::State& state) {
  embed(state, kResNet, Grid::finest, padim::sample_channels(1024, 448, 100), 224);
}
BENCHMARK(embedding_published)->Unit(benchmark::kMillisecond);

void embedding_projected_default(benchmark::State& state) { project(state, kLite, Grid::coarsest, 256); }
BENCHMARK(embedding_projected_default)->Unit(benchmark::kMillisecond);

void embedding_projected_published(benchmark::State& state) { project(state, kResNet, Grid::finest, 224); }
BENCHMARK(embedding_projected_published)->Unit(benchmark::kMillisecond);

}  // namespace
