// Runs one stage of the library on arrays in .npy files, for tests that compare it with Python's libraries.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/packed_triangle.h"
#include "image/resample.h"
#include "npy.h"
#include "score/upsampling.h"
#include "statistics/gaussian.h"
#include "statistics/mahalanobis.h"

namespace padim::test {
namespace {

using Arguments = std::vector<std::string>;

int side(const NpyArray<float>& array, std::size_t axis) { return static_cast<int>(array.shape.at(axis)); }

// Statistics of embeddings [N, P, d], `batch` frames at a time, the second half by another object and merged.
Gaussian statistics(const NpyArray<float>& embeddings, int batch, WorkerPool& pool) {
  const int frames = side(embeddings, 0);
  const auto size = static_cast<std::size_t>(embeddings.shape.at(1) * embeddings.shape.at(2));
  Gaussian first(side(embeddings, 1), side(embeddings, 2));
  Gaussian second(side(embeddings, 1), side(embeddings, 2));
  for (int n = 0; n < frames; n += batch) {
    const int count = std::min(batch, frames - n);
    const auto part = std::span(embeddings.values)
                          .subspan(static_cast<std::size_t>(n) * size, static_cast<std::size_t>(count) * size);
    (n < frames / 2 ? first : second).add(part, count, pool);
  }
  first.merge(second.view(), 1, pool);
  return first;
}

// EMBEDDINGS BATCH MEAN COMOMENT
void gaussian(const Arguments& arguments) {
  WorkerPool pool(2);
  const auto embeddings = read_npy<float>(arguments.at(0));
  const Gaussian result = statistics(embeddings, std::atoi(arguments.at(1).c_str()), pool);
  const std::span<const float> mean = result.mean();
  const std::span<const float> comoment = result.comoment();
  write_npy<float>(arguments.at(2), {result.positions(), result.dimensions()}, {mean.begin(), mean.end()});
  write_npy<float>(arguments.at(3), {result.positions(), static_cast<std::int64_t>(triangle_size(result.dimensions()))},
                   {comoment.begin(), comoment.end()});
}

// EMBEDDINGS EPSILON WIDTH RADIUS PROBES DISTANCES: a model of the embeddings measures the probes [M, P, d].
void distances(const Arguments& arguments) {
  WorkerPool pool(2);
  const auto embeddings = read_npy<float>(arguments.at(0));
  const auto probes = read_npy<float>(arguments.at(4));
  const Gaussian fitted = statistics(embeddings, 16, pool);
  const auto whitener = whiten(fitted.view(), Regularisation{std::atof(arguments.at(1).c_str())}, pool);
  const int width = std::atoi(arguments.at(2).c_str());
  const auto positions = static_cast<std::size_t>(fitted.positions());
  Mahalanobis mahalanobis(fitted.mean(), std::span(whitener).first(whitener.size() - kTrianglePadding),
                          {width, fitted.positions() / width}, fitted.dimensions(), std::atoi(arguments.at(3).c_str()));
  std::vector<float> result(static_cast<std::size_t>(side(probes, 0)) * positions);
  for (std::size_t m = 0; m < static_cast<std::size_t>(side(probes, 0)); ++m) {
    mahalanobis.run(std::span(probes.values).subspan(m * fitted.mean().size(), fitted.mean().size()),
                    std::span(result).subspan(m * positions, positions), pool);
  }
  write_npy<float>(arguments.at(5), {probes.shape.at(0), probes.shape.at(1)}, result);
}

// DISTANCES WIDTH HEIGHT MAP
void score_map(const Arguments& arguments) {
  const auto input = read_npy<float>(arguments.at(0));
  const Size size{std::atoi(arguments.at(1).c_str()), std::atoi(arguments.at(2).c_str())};
  ScoreMap map;
  Upsampler({side(input, 1), side(input, 0)}, size).run(input.values, map);
  write_npy<float>(arguments.at(3), {map.height, map.width}, map.values);
}

// PICTURE [height, width, channels] WIDTH HEIGHT lanczos|triangle RESIZED
void resample(const Arguments& arguments) {
  const auto picture = read_npy<std::uint8_t>(arguments.at(0));
  const int height = static_cast<int>(picture.shape.at(0));
  const int width = static_cast<int>(picture.shape.at(1));
  const int channels = static_cast<int>(picture.shape.at(2));
  const Size size{std::atoi(arguments.at(1).c_str()), std::atoi(arguments.at(2).c_str())};
  const auto filter = arguments.at(3) == "lanczos" ? ResampleFilter::lanczos3 : ResampleFilter::triangle;
  Resampler resampler(make_resample_axis(width, 0, width, size.width, 0, size.width, filter),
                      make_resample_axis(height, 0, height, size.height, 0, size.height, filter),
                      ResampleOrder::horizontal_first);
  std::vector<std::uint8_t> output(static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height) *
                                   static_cast<std::size_t>(channels));
  resampler.run({picture.values.data(), std::ptrdiff_t{width} * channels, width, height, channels}, output.data());
  write_npy<std::uint8_t>(arguments.at(4), {size.height, size.width, channels}, output);
}

}  // namespace
}  // namespace padim::test

int main(int count, char** arguments) try {
  using namespace padim::test;
  const std::map<std::string, std::function<void(const Arguments&)>> stages = {
      {"distances", distances}, {"gaussian", gaussian}, {"resample", resample}, {"score_map", score_map}};
  const Arguments words(arguments + 1, arguments + count);
  stages.at(words.at(0))({words.begin() + 1, words.end()});
} catch (const std::exception& error) {
  std::fprintf(stderr, "run_stage: %s\n", error.what());
  return 1;
}
