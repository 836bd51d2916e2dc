// Against the two steps written out in double precision; tests/reference/oracle_test.py compares with scipy.

#include "score/upsampling.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "random_numbers.h"

namespace padim::test {
namespace {

// Bilinear at output `o` of `length` from a row of `count` values: samples at cell centres, ends held.
double bilinear(const std::vector<double>& row, int o, int length) {
  const int count = static_cast<int>(row.size());
  const double at = std::clamp((o + 0.5) * count / length - 0.5, 0.0, count - 1.0);
  const auto low = static_cast<std::size_t>(at);
  const auto high = std::min(low + 1, row.size() - 1);
  return row[low] + (at - static_cast<double>(low)) * (row[high] - row[low]);
}

std::vector<double> upsampled(const std::vector<double>& row, int length) {
  std::vector<double> result;
  for (int o = 0; o < length; ++o) result.push_back(bilinear(row, o, length));
  return result;
}

// Gaussian sigma 4 over 33 samples, the row mirrored at its ends as often as needed.
std::vector<double> smoothed(const std::vector<double>& row) {
  const int length = static_cast<int>(row.size());
  std::vector<double> result;
  for (int o = 0; o < length; ++o) {
    double sum = 0;
    double weights = 0;
    for (int t = -16; t <= 16; ++t) {
      int i = o + t;
      while (i < 0 || i >= length) i = i < 0 ? -1 - i : 2 * length - 1 - i;
      const double weight = std::exp(-t * t / 32.0);
      weights += weight;
      sum += weight * row[static_cast<std::size_t>(i)];
    }
    result.push_back(sum / weights);
  }
  return result;
}

// Rows, then columns.
std::vector<double> reference(const std::vector<float>& distances, Size positions, Size input) {
  std::vector<std::vector<double>> rows;
  for (int y = 0; y < positions.height; ++y) {
    const auto begin = distances.begin() + y * positions.width;
    rows.push_back(smoothed(upsampled({begin, begin + positions.width}, input.width)));
  }
  std::vector<double> map(static_cast<std::size_t>(input.width * input.height));
  for (int x = 0; x < input.width; ++x) {
    std::vector<double> column;
    for (const auto& row : rows) column.push_back(row[static_cast<std::size_t>(x)]);
    const auto result = smoothed(upsampled(column, input.height));
    for (int y = 0; y < input.height; ++y) {
      map[static_cast<std::size_t>(y * input.width + x)] = result[static_cast<std::size_t>(y)];
    }
  }
  return map;
}

std::vector<float> random_distances(Size positions, std::uint32_t seed) {
  auto values = normal_floats(static_cast<std::size_t>(positions.width * positions.height), seed, 10, 6);
  for (float& value : values) value = std::abs(value);
  return values;
}

// Coarse and fine grids, squares and strips, inputs smaller than the filter.
TEST(ScoreMapping, EqualsTheTwoStepsInDoublePrecision) {
  struct Case {
    Size positions, input;
  };
  for (const auto& [positions, input] :
       {Case{{14, 14}, {224, 224}}, Case{{21, 12}, {336, 192}}, Case{{56, 56}, {224, 224}}, Case{{1, 1}, {16, 16}},
        Case{{1, 6}, {16, 96}}, Case{{3, 2}, {12, 8}}, Case{{40, 30}, {40, 30}}}) {
    Upsampler upsampler(positions, input);
    ScoreMap map;
    for (std::uint32_t seed = 1; seed < 4; ++seed) {
      const auto distances = random_distances(positions, seed);
      const float score = upsampler.run(distances, map);
      const auto expected = reference(distances, positions, input);
      ASSERT_EQ(map.width, input.width);
      ASSERT_EQ(map.height, input.height);
      ASSERT_EQ(map.values.size(), expected.size());
      for (std::size_t i = 0; i < expected.size(); ++i) {
        ASSERT_NEAR(static_cast<double>(map.values[i]), expected[i], 2e-5) << positions.width << " at " << i;
      }
      EXPECT_EQ(score, *std::max_element(map.values.begin(), map.values.end()));
    }
  }
}

// A level stays a level up to the borders, and the map is linear: twice the distances, twice the scores.
TEST(ScoreMapping, KeepsLevelsAndScales) {
  Upsampler upsampler({21, 12}, {336, 192});
  ScoreMap map;
  EXPECT_NEAR(upsampler.run(std::vector<float>(21 * 12, 7.5F), map), 7.5, 1e-5);
  for (const float value : map.values) ASSERT_NEAR(value, 7.5, 1e-5);
  EXPECT_EQ(upsampler.run(std::vector<float>(21 * 12, 0.0F), map), 0);
  auto distances = random_distances({21, 12}, 8);
  const float once = upsampler.run(distances, map);
  for (float& distance : distances) distance *= 2;
  EXPECT_EQ(upsampler.run(distances, map), 2 * once);
}

// One hot position glows around its own centre, at each place of the grid.
TEST(ScoreMapping, PutsTheHottestPlaceOnItsPosition) {
  const Size grid{7, 5};
  Upsampler upsampler(grid, {112, 80});
  ScoreMap map;
  for (int p = 0; p < 35; ++p) {
    std::vector<float> distances(35, 0.0F);
    distances[static_cast<std::size_t>(p)] = 100;
    upsampler.run(distances, map);
    const auto hottest = static_cast<int>(std::max_element(map.values.begin(), map.values.end()) - map.values.begin());
    EXPECT_EQ(hottest % 112 / 16, p % grid.width);
    EXPECT_EQ(hottest / 112 / 16, p / grid.width);
  }
}

// A distance that is no number makes the score none, wherever it lies; the next frame is not affected.
TEST(ScoreMapping, KeepsNaN) {
  Upsampler upsampler({6, 4}, {96, 64});
  ScoreMap map;
  for (std::size_t p = 0; p < 24; ++p) {
    auto distances = random_distances({6, 4}, 2);
    const float score = upsampler.run(distances, map);
    distances[p] = std::numeric_limits<float>::quiet_NaN();
    EXPECT_TRUE(std::isnan(upsampler.run(distances, map))) << p;
    distances[p] = std::numeric_limits<float>::infinity();
    EXPECT_FALSE(std::isfinite(upsampler.run(distances, map))) << p;
    EXPECT_EQ(upsampler.run(random_distances({6, 4}, 2), map), score);
  }
}

}  // namespace
}  // namespace padim::test
