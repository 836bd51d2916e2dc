#include "embedding/embedding.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "embedding/channel_selection.h"
#include "expect_error.h"
#include "random_numbers.h"

namespace padim::test {
namespace {

const std::vector<TapInfo> kTaps = {{"fine", 5, 4}, {"middle", 7, 8}, {"coarse", 6, 16}};

// All channels of random feature maps for an input of `input` pixels.
std::vector<TapMaps> random_maps(const std::vector<TapInfo>& taps, Size input, int batch) {
  std::vector<TapMaps> maps;
  for (const TapInfo& tap : taps) {
    TapMaps map{batch, input.height / tap.stride, input.width / tap.stride, tap.channels, {}};
    map.values = normal_floats(static_cast<std::size_t>(batch * map.height * map.width * map.channels),
                               static_cast<std::uint32_t>(tap.stride));
    maps.push_back(std::move(map));
  }
  return maps;
}

float value_at(const TapMaps& map, int image, int y, int x, int channel) {
  return map.values[static_cast<std::size_t>(((image * map.height + y) * map.width + x) * map.channels + channel)];
}

// Mean of one tap's channel over the part of the input that a patch position covers, pixel by pixel.
double mean_over_cell(const TapMaps& map, int stride, int image, int channel, int cell, int x, int y) {
  double sum = 0;
  for (int v = y * cell; v < (y + 1) * cell; ++v) {
    for (int u = x * cell; u < (x + 1) * cell; ++u) {
      sum += static_cast<double>(value_at(map, image, v / stride, u / stride, channel));
    }
  }
  return sum / (cell * cell);
}

// What a backbone reduced to these channels of its last tap hands out.
std::vector<TapMaps> with_last_channels(std::vector<TapMaps> maps, const std::vector<int>& channels) {
  TapMaps& last = maps.back();
  TapMaps reduced{last.batch, last.height, last.width, static_cast<int>(channels.size()), {}};
  for (int i = 0; i < last.batch; ++i) {
    for (int y = 0; y < last.height; ++y) {
      for (int x = 0; x < last.width; ++x) {
        for (const int channel : channels) reduced.values.push_back(value_at(last, i, y, x, channel));
      }
    }
  }
  last = std::move(reduced);
  return maps;
}

void expect_embedding(const std::vector<TapInfo>& taps, Grid grid, const std::vector<int>& channels, Size input) {
  const Embedding embedding(taps, grid, channels);
  const auto maps = random_maps(taps, input, 3);
  const auto computed = with_last_channels(maps, embedding.last_tap_channels());
  const int cell = grid == Grid::finest ? taps.front().stride : taps.back().stride;
  const Size positions{input.width / cell, input.height / cell};
  ASSERT_EQ(embedding.positions(input), positions);
  ASSERT_EQ(embedding.dimensions(), static_cast<int>(channels.size()));
  const std::size_t d = channels.size();
  std::vector<float> output(static_cast<std::size_t>(positions.width * positions.height) * d, -100);
  for (const int image : {0, 2}) {
    embedding.run(computed, image, output);
    for (std::size_t i = 0; i < d; ++i) {
      int channel = channels[i];
      std::size_t t = 0;
      while (channel >= taps[t].channels) channel -= taps[t++].channels;
      for (int p = 0; p < positions.width * positions.height; ++p) {
        const double expected =
            mean_over_cell(maps[t], taps[t].stride, image, channel, cell, p % positions.width, p / positions.width);
        ASSERT_NEAR(static_cast<double>(output[static_cast<std::size_t>(p) * d + i]), expected, 1e-5)
            << "dimension " << i << " at position " << p;
      }
    }
  }
}

std::vector<int> all_channels(const std::vector<TapInfo>& taps) {
  std::vector<int> channels(static_cast<std::size_t>(
      std::accumulate(taps.begin(), taps.end(), 0, [](int sum, const TapInfo& tap) { return sum + tap.channels; })));
  std::iota(channels.begin(), channels.end(), 0);
  return channels;
}

// Both grids, by the mean over the pixels of a position: replication up and averaging down are the same mean.
TEST(Embedding, IsTheMeanOverEachPosition) {
  const std::vector<TapInfo> equal_strides = {{"a", 3, 4}, {"b", 2, 8}, {"c", 4, 8}};
  for (const Grid grid : {Grid::coarsest, Grid::finest}) {
    expect_embedding(kTaps, grid, all_channels(kTaps), {64, 48});
    expect_embedding(equal_strides, grid, all_channels(equal_strides), {32, 16});
    expect_embedding({{"only", 4, 16}}, grid, {3, 0, 2}, {48, 32});
  }
}

// Channels are taken in the order drawn, which mixes the taps.
TEST(Embedding, KeepsTheOrderOfRandomChannels) {
  for (const std::uint64_t seed : {1U, 2U, 1024U}) {
    for (const int d : {1, 4, 11, 18}) {
      for (const Grid grid : {Grid::coarsest, Grid::finest}) {
        expect_embedding(kTaps, grid, sample_channels(seed, 18, d), {32, 32});
      }
    }
  }
}

// The network is asked for the channels of its last tap that are used, ascending, and for one where none is.
TEST(Embedding, NamesTheChannelsOfTheLastTap) {
  EXPECT_EQ(Embedding(kTaps, Grid::finest, std::vector{17, 3, 12, 8}).last_tap_channels(), (std::vector{0, 5}));
  EXPECT_EQ(Embedding(kTaps, Grid::finest, std::vector{0, 11}).last_tap_channels(), std::vector{0});
  EXPECT_EQ(Embedding(kTaps, Grid::coarsest, all_channels(kTaps)).last_tap_channels().size(), 6U);
}

TEST(Embedding, RejectsChannelsThatDoNotExist) {
  for (const std::vector<int>& channels : {std::vector{18}, std::vector{0, -1}, std::vector{1 << 30}}) {
    expect_error(ErrorCode::invalid_argument, {"channel", "does not exist"},
                 [&] { Embedding(kTaps, Grid::finest, channels); });
  }
  expect_error(ErrorCode::invalid_argument, {"at least one dimension"},
               [&] { Embedding(kTaps, Grid::finest, std::vector<int>{}); });
}

// Maps of another network are refused before anything is read.
TEST(Embedding, RejectsOtherMaps) {
  const Embedding embedding(kTaps, Grid::coarsest, all_channels(kTaps));
  std::vector<float> output(4 * 18);
  auto maps = random_maps(kTaps, {32, 32}, 1);
  maps.pop_back();
  expect_error(ErrorCode::mismatch, {"taps"}, [&] { embedding.run(maps, 0, output); });
  maps = random_maps({{"fine", 5, 4}, {"middle", 6, 8}, {"coarse", 6, 16}}, {32, 32}, 1);
  expect_error(ErrorCode::mismatch, {"taps"}, [&] { embedding.run(maps, 0, output); });
}

}  // namespace
}  // namespace padim::test
