// Distances to the score map, against interpolation and smoothing done one after the other in double precision, and
// the regions of a map with one disc.

#include <array>

#include "random_numbers.h"
#include "score/regions.h"
#include "score/upsampling.h"
#include "stage.h"

namespace {

using Plane = std::vector<double>;

double bilinear(const std::vector<float>& grid, padim::Size positions, padim::Size input, int x, int y) {
  const auto at = [](int o, int cells, int length) { return std::max((o + 0.5) * cells / length - 0.5, 0.0); };
  const double u = at(x, positions.width, input.width);
  const double v = at(y, positions.height, input.height);
  const auto value = [&](int i, int j) {
    i = std::min(i, positions.width - 1);
    j = std::min(j, positions.height - 1);
    return static_cast<double>(grid[static_cast<std::size_t>(j * positions.width + i)]);
  };
  const int i = static_cast<int>(u);
  const int j = static_cast<int>(v);
  const double top = value(i, j) * (1 - (u - i)) + value(i + 1, j) * (u - i);
  const double bottom = value(i, j + 1) * (1 - (u - i)) + value(i + 1, j + 1) * (u - i);
  return top * (1 - (v - j)) + bottom * (v - j);
}

// One axis of scipy's gaussian_filter: sigma 4, truncate 4, reflect.
Plane smoothed(const Plane& plane, padim::Size size, bool horizontal) {
  std::array<double, 33> taps{};
  double sum = 0;
  for (int t = -16; t <= 16; ++t) sum += taps[static_cast<std::size_t>(t + 16)] = std::exp(-t * t / 32.0);
  Plane result;
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      double value = 0;
      for (int t = -16; t <= 16; ++t) {
        const int length = horizontal ? size.width : size.height;
        int i = (horizontal ? x : y) + t;
        if (i < 0) i = -i - 1;
        if (i >= length) i = 2 * length - 1 - i;
        const int from = horizontal ? y * size.width + i : i * size.width + x;
        value += taps[static_cast<std::size_t>(t + 16)] / sum * plane[static_cast<std::size_t>(from)];
      }
      result.push_back(value);
    }
  }
  return result;
}

Plane expected_map(const std::vector<float>& distances, padim::Size positions, padim::Size input) {
  Plane plane;
  for (int y = 0; y < input.height; ++y) {
    for (int x = 0; x < input.width; ++x) plane.push_back(bilinear(distances, positions, input, x, y));
  }
  return smoothed(smoothed(plane, input, true), input, false);
}

// Arguments: width and height of the grid, pixels per position.
void score_map(benchmark::State& state) {
  const padim::Size positions{static_cast<int>(state.range(0)), static_cast<int>(state.range(1))};
  const int cell = static_cast<int>(state.range(2));
  const padim::Size input{positions.width * cell, positions.height * cell};
  const auto distances =
      padim::test::normal_floats(static_cast<std::size_t>(positions.width * positions.height), 1, 20, 4);
  padim::Upsampler upsampler(positions, input);
  padim::ScoreMap map;
  float maximum = 0;
  padim::bench::run_checked(
      state, [&] { maximum = upsampler.run(distances, map); },
      [&] {
        const Plane expected = expected_map(distances, positions, input);
        const std::array<double, 1> peak{*std::max_element(expected.begin(), expected.end())};
        return padim::bench::within(std::max(padim::bench::relative_error(map.values, expected),
                                             padim::bench::relative_error(std::array<float, 1>{maximum}, peak)),
                                    1e-6);
      });
}

BENCHMARK(score_map)
    ->ArgNames({"width", "height", "cell"})
    ->Args({16, 16, 16})
    ->Args({56, 56, 4})
    ->Args({21, 12, 16})
    ->Unit(benchmark::kMillisecond);

// A disc that covers 5 % of a 1080p frame.
void regions(benchmark::State& state) {
  constexpr int kWidth = 336;
  constexpr int kHeight = 192;
  constexpr double kScale = 1920.0 / kWidth;
  const double radius = std::sqrt(0.05 * kWidth * kHeight / M_PI);
  padim::ScoreMap map{kWidth, kHeight, {}};
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      map.values.push_back(std::hypot(x + 0.5 - kWidth / 2, y + 0.5 - kHeight / 2) < radius ? 2.0F : 0.5F);
    }
  }
  std::vector<padim::Region> found;
  padim::bench::run_checked(
      state,
      [&] {
        padim::find_regions(map, 1, 1, {0, 0, kScale, 1080.0 / kHeight}, {1920, 1080}, {}, found);
      },
      [&]() -> std::string {
        if (found.size() != 1) return std::to_string(found.size()) + " regions";
        const double share = found[0].area / (1920.0 * 1080.0);
        const double side = found[0].width / (2 * radius * kScale);
        return padim::bench::within(std::max(std::abs(share - 0.05), std::abs(side - 1)), 0.03);
      });
}
BENCHMARK(regions)->Unit(benchmark::kMillisecond);

}  // namespace
