// Embeddings by a linear projection against plain loops.

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "embedding/embedding.h"
#include "expect_error.h"
#include "random_numbers.h"

namespace padim::test {
namespace {

constexpr Size kInput{96, 64};
constexpr int kBatch = 2;

struct Layout {
  const char* name;
  std::vector<TapInfo> taps;
};

// Strides that fall on the grid, between and twice; more channels than a block of the projection takes at once.
const std::vector<Layout> kLayouts = {
    {"three taps", {{"a", 5, 4}, {"b", 7, 8}, {"c", 9, 16}}},
    {"two taps of one stride", {{"a", 6, 4}, {"b", 3, 16}, {"c", 4, 16}}},
    {"one tap", {{"only", 11, 8}}},
    {"many channels", {{"a", 3, 8}, {"b", 600, 16}}},
};

std::vector<TapMaps> random_taps(const std::vector<TapInfo>& taps) {
  std::vector<TapMaps> maps;
  for (const TapInfo& tap : taps) {
    TapMaps map{kBatch, kInput.height / tap.stride, kInput.width / tap.stride, tap.channels, {}};
    map.values = normal_floats(static_cast<std::size_t>(map.batch * map.height * map.width * map.channels),
                               static_cast<std::uint32_t>(tap.channels), 1);
    maps.push_back(std::move(map));
  }
  return maps;
}

int channels_of(const std::vector<TapInfo>& taps) {
  return std::accumulate(taps.begin(), taps.end(), 0, [](int sum, const TapInfo& tap) { return sum + tap.channels; });
}

/// All F channels at one position, in double precision: the mean over every pixel of the position's cell of what the
/// tap holds at that pixel, which is replication and averaging at once.
std::vector<double> concatenated(const std::vector<TapInfo>& taps, const std::vector<TapMaps>& maps, int image,
                                 int cell, int px, int py) {
  std::vector<double> all;
  for (std::size_t t = 0; t < taps.size(); ++t) {
    const TapMaps& map = maps[t];
    for (int c = 0; c < map.channels; ++c) {
      double sum = 0;
      for (int y = py * cell; y < (py + 1) * cell; ++y) {
        for (int x = px * cell; x < (px + 1) * cell; ++x) {
          const int at =
              ((image * map.height + y / taps[t].stride) * map.width + x / taps[t].stride) * map.channels + c;
          sum += static_cast<double>(map.values[static_cast<std::size_t>(at)]);
        }
      }
      all.push_back(sum / (cell * cell));
    }
  }
  return all;
}

/// Compares an embedding with x = R^T f, R [F, d] in plain loops.
void check(const Embedding& embedding, const Layout& layout, Grid grid, const std::vector<float>& matrix) {
  const int d = embedding.dimensions();
  const int cell = grid == Grid::finest ? layout.taps.front().stride : layout.taps.back().stride;
  const Size positions{kInput.width / cell, kInput.height / cell};
  ASSERT_EQ(embedding.positions(kInput), positions);
  std::vector<TapMaps> maps = random_taps(layout.taps);
  const std::vector<TapMaps> whole = maps;
  TapMaps& last = maps.back();  // a backbone computes only what is used of it
  last.values.clear();
  const TapMaps& all = whole.back();
  for (std::size_t at = 0; at < all.values.size(); at += static_cast<std::size_t>(all.channels)) {
    for (const int c : embedding.last_tap_channels())
      last.values.push_back(all.values[at + static_cast<std::size_t>(c)]);
  }
  last.channels = static_cast<int>(embedding.last_tap_channels().size());
  std::vector<float> output(static_cast<std::size_t>(positions.width * positions.height * d));
  for (int image = 0; image < kBatch; ++image) {
    std::fill(output.begin(), output.end(), 777.0F);  // of the frame before
    embedding.run(maps, image, output);
    const float* actual = output.data();
    for (int y = 0; y < positions.height; ++y) {
      for (int x = 0; x < positions.width; ++x) {
        const std::vector<double> f = concatenated(layout.taps, whole, image, cell, x, y);
        for (int j = 0; j < d; ++j, ++actual) {
          double expected = 0;
          double terms = 0;
          for (std::size_t k = 0; k < f.size(); ++k) {
            const double term =
                static_cast<double>(matrix[k * static_cast<std::size_t>(d) + static_cast<std::size_t>(j)]) * f[k];
            expected += term;
            terms += std::abs(term);
          }
          ASSERT_NEAR(static_cast<double>(*actual), expected, 1e-6 * terms) << x << ", " << y << ", dimension " << j;
        }
      }
    }
  }
}

// A projection equals the matrix applied to the whole concatenation, on both grids, whatever the dimensions.
TEST(Projection, ProjectsAsThePlainProductDoes) {
  for (const Layout& layout : kLayouts) {
    const int channels = channels_of(layout.taps);
    for (const Grid grid : {Grid::coarsest, Grid::finest}) {
      for (const int d : {1, 4, 17}) {
        if (d > channels) continue;
        SCOPED_TRACE(std::string(layout.name) + ", " + to_string(grid) + ", " + std::to_string(d));
        const auto matrix = normal_floats(static_cast<std::size_t>(channels * d), 3);
        const Embedding embedding(layout.taps, grid, matrix, d);
        EXPECT_EQ(static_cast<int>(embedding.last_tap_channels().size()), layout.taps.back().channels);
        check(embedding, layout, grid, matrix);
      }
    }
  }
}

TEST(Projection, RefusesWhatDoesNotFit) {
  const std::vector<TapInfo>& taps = kLayouts.front().taps;
  const std::vector<float> matrix(21 * 4);
  expect_error(ErrorCode::invalid_argument, {"84 numbers", "5 dimensions"},
               [&] { (void)Embedding(taps, Grid::finest, matrix, 5); });
  expect_error(ErrorCode::invalid_argument, {"at least one"},
               [&] { (void)Embedding(taps, Grid::finest, std::span<const float>(), 0); });
  const Embedding embedding(taps, Grid::finest, matrix, 4);
  std::vector<TapMaps> maps = random_taps(kLayouts.back().taps);
  std::vector<float> output(24 * 16 * 4);
  expect_error(ErrorCode::mismatch, {"taps"}, [&] { embedding.run(maps, 0, output); });
}

}  // namespace
}  // namespace padim::test
