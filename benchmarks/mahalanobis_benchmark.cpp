// The head, against the scalar kernel and a plain loop over the positions around each patch.

#include "statistics/mahalanobis.h"

#include "base/half.h"
#include "base/packed_triangle.h"
#include "random_numbers.h"
#include "stage.h"
#include "statistics/mahalanobis_kernel.h"

namespace {

struct Head {
  Head(padim::Size grid, int dimensions) : positions(grid), d(dimensions) {
    const auto count = static_cast<std::size_t>(grid.width) * static_cast<std::size_t>(grid.height);
    const auto width = static_cast<std::size_t>(d);
    mean = padim::test::normal_floats(count * width, 1);
    embedding = padim::test::normal_floats(count * width, 2);
    for (const float value : padim::test::normal_floats(count * padim::triangle_size(d), 3)) {
      whitener.push_back(padim::float_to_half(value));
    }
    whitener.resize(whitener.size() + padim::kTrianglePadding);
    distances.resize(count);
  }

  [[nodiscard]] float distance(int patch, int gaussian) const {
    const auto width = static_cast<std::size_t>(d);
    std::vector<float> difference(width);
    for (std::size_t j = 0; j < width; ++j) {
      difference[j] =
          embedding[static_cast<std::size_t>(patch) * width + j] - mean[static_cast<std::size_t>(gaussian) * width + j];
    }
    float square = 0;
    padim::whitened_square_norms_scalar(whitener.data() + static_cast<std::size_t>(gaussian) * padim::triangle_size(d),
                                        d, difference.data(), 1, &square);
    return std::sqrt(square);
  }

  [[nodiscard]] std::vector<float> expected(int radius) const {
    std::vector<float> result;
    for (int y = 0; y < positions.height; ++y) {
      for (int x = 0; x < positions.width; ++x) {
        float smallest = INFINITY;
        for (int v = std::max(y - radius, 0); v <= std::min(y + radius, positions.height - 1); ++v) {
          for (int u = std::max(x - radius, 0); u <= std::min(x + radius, positions.width - 1); ++u) {
            smallest = std::min(smallest, distance(y * positions.width + x, v * positions.width + u));
          }
        }
        result.push_back(smallest);
      }
    }
    return result;
  }

  padim::Size positions;
  int d;
  std::vector<float> mean;
  std::vector<float> embedding;
  std::vector<std::uint16_t> whitener;
  std::vector<float> distances;
};

// Arguments: width and height of the grid, d, radius, threads.
void mahalanobis(benchmark::State& state) {
  const auto argument = [&](std::size_t i) { return static_cast<int>(state.range(i)); };
  Head head({argument(0), argument(1)}, argument(2));
  padim::Mahalanobis mahalanobis(head.mean, head.whitener, head.positions, head.d, argument(3));
  padim::WorkerPool pool(argument(4));
  padim::bench::run_checked(
      state, [&] { mahalanobis.run(head.embedding, head.distances, pool); },
      [&] {
        return padim::bench::within(padim::bench::relative_error(head.distances, head.expected(argument(3))), 1e-5);
      });
}

BENCHMARK(mahalanobis)
    ->ArgNames({"width", "height", "d", "radius", "threads"})
    ->ArgsProduct({{56}, {56}, {100}, {0}, {1, 2}})
    ->ArgsProduct({{16}, {16}, {256}, {0, 1}, {1, 2}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
