#include "score/regions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace padim {
namespace {

/// One character per value: '.' is 0, '?' is NaN, '!' infinity, a digit d is d * 10.
ScoreMap map_of(const std::vector<std::string>& rows) {
  ScoreMap map;
  map.height = static_cast<int>(rows.size());
  map.width = rows.empty() ? 0 : static_cast<int>(rows[0].size());
  for (const std::string& row : rows) {
    for (const char c : row) {
      map.values.push_back(c == '?'   ? std::numeric_limits<float>::quiet_NaN()
                           : c == '!' ? std::numeric_limits<float>::infinity()
                           : c == '.' ? 0.0F
                                      : static_cast<float>(c - '0') * 10);
    }
  }
  return map;
}

std::vector<Region> regions_of(const ScoreMap& map, double threshold, const FrameMapping& mapping = {},
                               Size frame = {100, 100}, const RegionLimits& limits = {64, 0}) {
  std::vector<Region> regions;
  find_regions(map, threshold, 50, mapping, frame, limits, regions);
  return regions;
}

struct Box {
  int x, y, width, height;
  double area;
  friend bool operator==(const Box&, const Box&) = default;
};

std::vector<Box> boxes_of(const std::vector<Region>& regions) {
  std::vector<Box> boxes;
  for (const Region& r : regions) boxes.push_back({r.x, r.y, r.width, r.height, r.area});
  return boxes;
}

// Shapes drawn as text fall into the parts that a person sees, the strongest first.
TEST(Regions, FindsConnectedParts) {
  const struct {
    const char* name;
    std::vector<std::string> rows;
    std::vector<Box> expected;
  } cases[] = {
      {"empty", {"....", "...."}, {}},
      {"below", {"..4.", "...."}, {}},
      {"at the threshold", {"..5.", "...."}, {{2, 0, 1, 1, 1}}},
      {"diagonals connect", {"6...", ".7..", "..6.", ".6.."}, {{0, 0, 3, 4, 4}}},
      {"a gap separates", {"6.7.8"}, {{4, 0, 1, 1, 1}, {2, 0, 1, 1, 1}, {0, 0, 1, 1, 1}}},
      {"joined late, as a U", {"6..6", "6..6", "6666"}, {{0, 0, 4, 3, 8}}},
      {"joined late, as a W", {"6.7.6", "6.6.6", "66666"}, {{0, 0, 5, 3, 11}}},
      {"ring around a part", {"66666", "6...6", "6.9.6", "6...6", "66666"}, {{2, 2, 1, 1, 1}, {0, 0, 5, 5, 16}}},
      {"equal peaks from top to bottom", {"..6", "...", "6.."}, {{2, 0, 1, 1, 1}, {0, 2, 1, 1, 1}}},
      {"NaN separates and reaches nothing", {"6?6", "???", "6?."}, {{0, 0, 1, 1, 1}, {2, 0, 1, 1, 1}, {0, 2, 1, 1, 1}}},
      {"infinity", {".!."}, {{1, 0, 1, 1, 1}}},
  };
  for (const auto& c : cases) EXPECT_EQ(boxes_of(regions_of(map_of(c.rows), 50)), c.expected) << c.name;
}

// The shown score is that of the highest point, 1 where it is infinite.
TEST(Regions, ScoresAreShownScoresOfThePeak) {
  const std::vector<Region> regions = regions_of(map_of({"596..!..5"}), 50);
  ASSERT_EQ(regions.size(), 3U);
  EXPECT_EQ(regions[0].score, 1.0);
  EXPECT_DOUBLE_EQ(regions[1].score, 90.0 / 140);
  EXPECT_DOUBLE_EQ(regions[2].score, 0.5);
}

// Boxes cover every touched frame pixel, are clipped to the frame, and keep one pixel even where the part lies outside.
TEST(Regions, MapsToTheFrame) {
  const ScoreMap map = map_of({"....", ".66.", "...."});
  const struct {
    const char* name;
    FrameMapping mapping;
    Size frame;
    Box expected;
  } cases[] = {
      {"enlarged", {0, 0, 10, 5}, {40, 15}, {10, 5, 20, 5, 100}},
      {"shifted", {3, 2, 10, 5}, {50, 20}, {13, 7, 20, 5, 100}},
      {"fractions round outwards", {0, 0, 1.5, 1.5}, {6, 5}, {1, 1, 4, 2, 4.5}},
      {"reduced to less than a pixel", {0, 0, 0.1, 0.1}, {1, 1}, {0, 0, 1, 1, 0.02}},
      {"rounding adds no pixel", {0, 0, 0.1 * 30, 0.1 * 30}, {12, 9}, {3, 3, 6, 3, 18}},
      {"clipped", {-15, -7, 10, 5}, {40, 15}, {0, 0, 15, 3, 45}},
      {"outside to the left", {-500, 0, 10, 5}, {40, 15}, {0, 5, 1, 5, 5}},
      {"outside to the right", {500, 500, 10, 5}, {40, 15}, {39, 14, 1, 1, 1}},
  };
  for (const auto& c : cases) {
    const std::vector<Region> regions = regions_of(map, 50, c.mapping, c.frame);
    ASSERT_EQ(regions.size(), 1U) << c.name;
    const Region& r = regions[0];
    EXPECT_EQ((Box{r.x, r.y, r.width, r.height, c.expected.area}), c.expected) << c.name;
    EXPECT_NEAR(r.area, c.expected.area, 1e-9) << c.name;
  }
}

// The comparison is that of doubles: a threshold between two floats separates them.
TEST(Regions, ThresholdIsExact) {
  ScoreMap map{2, 1, {1.0F, std::nextafter(1.0F, 2.0F)}};
  EXPECT_EQ(boxes_of(regions_of(map, std::nextafter(1.0, 2.0))), (std::vector<Box>{{1, 0, 1, 1, 1}}));
  EXPECT_EQ(boxes_of(regions_of(map, 1.0)), (std::vector<Box>{{0, 0, 2, 1, 2}}));
  EXPECT_TRUE(regions_of(map, std::numeric_limits<double>::infinity()).empty());
  EXPECT_TRUE(regions_of(map, std::numeric_limits<double>::quiet_NaN()).empty());
  EXPECT_EQ(regions_of(map, 0).size(), 1U);
}

// Of many parts the 64 strongest stay, in order.
TEST(Regions, KeepsTheStrongest) {
  ScoreMap map{2000, 1, std::vector<float>(2000)};
  for (std::size_t i = 0; i < map.values.size(); i += 2) map.values[i] = static_cast<float>(50 + (i * 7919) % 2003);
  std::vector<float> peaks;
  for (const float value : map.values) {
    if (value >= 50) peaks.push_back(value);
  }
  std::sort(peaks.rbegin(), peaks.rend());
  const std::vector<Region> regions = regions_of(map, 50, {}, {2000, 1});
  ASSERT_EQ(regions.size(), 64U);
  for (std::size_t i = 0; i < regions.size(); ++i) EXPECT_DOUBLE_EQ(regions[i].score, peaks[i] / (peaks[i] + 50.0));
}

// Small parts and parts beyond the wanted number are left out, the strongest never.
TEST(Regions, ObeysItsLimits) {
  ScoreMap map{20, 3, std::vector<float>(60)};
  const auto set = [&](int x, int y, float value) { map.values[static_cast<std::size_t>(y * 20 + x)] = value; };
  set(0, 0, 90);  // the strongest, of one pixel
  for (int x = 5; x < 9; ++x) set(x, 1, 80);
  set(12, 2, 70);
  for (int x = 15; x < 20; ++x) set(x, 0, 60);
  const auto areas = [&](const RegionLimits& limits) {
    std::vector<double> found;
    for (const Region& region : regions_of(map, 50, {}, {20, 3}, limits)) found.push_back(region.area);
    return found;
  };
  EXPECT_EQ(areas({64, 0}), (std::vector<double>{1, 4, 1, 5}));
  EXPECT_EQ(areas({2, 0}), (std::vector<double>{1, 4}));
  EXPECT_EQ(areas({64, 2.0 / 60}), (std::vector<double>{1, 4, 5}));
  EXPECT_EQ(areas({2, 4.5 / 60}), (std::vector<double>{1, 5}));
  EXPECT_EQ(areas({64, 1}), (std::vector<double>{1}));
}

/// Flood fill, the plain way: number of parts and, per part, its count.
std::vector<double> flood_counts(const ScoreMap& map, float threshold) {
  std::vector<bool> seen(map.values.size());
  std::vector<double> counts;
  const auto index = [&](int x, int y) { return static_cast<std::size_t>(y * map.width + x); };
  for (int y0 = 0; y0 < map.height; ++y0) {
    for (int x0 = 0; x0 < map.width; ++x0) {
      if (seen[index(x0, y0)] || map.at(x0, y0) < threshold) continue;
      std::vector<std::pair<int, int>> stack = {{x0, y0}};
      seen[index(x0, y0)] = true;
      double count = 0;
      while (!stack.empty()) {
        const auto [x, y] = stack.back();
        stack.pop_back();
        ++count;
        for (int v = std::max(y - 1, 0); v <= std::min(y + 1, map.height - 1); ++v) {
          for (int u = std::max(x - 1, 0); u <= std::min(x + 1, map.width - 1); ++u) {
            if (seen[index(u, v)] || map.at(u, v) < threshold) continue;
            seen[index(u, v)] = true;
            stack.emplace_back(u, v);
          }
        }
      }
      counts.push_back(count);
    }
  }
  std::sort(counts.begin(), counts.end());
  return counts;
}

// Random maps of every density have the parts that a flood fill finds; a frame without regions has no value in reach.
TEST(Regions, EqualsAFloodFill) {
  std::mt19937 random(3);
  for (int round = 0; round < 400; ++round) {
    ScoreMap map{1 + static_cast<int>(random() % 13), 1 + static_cast<int>(random() % 13), {}};
    map.values.resize(static_cast<std::size_t>(map.width * map.height));
    const auto density = 1 + random() % 9;
    for (float& value : map.values) value = random() % 10 < density ? 60.0F : 40.0F;
    std::vector<double> areas;
    for (const Region& region : regions_of(map, 50)) areas.push_back(region.area);
    std::sort(areas.begin(), areas.end());
    EXPECT_EQ(areas, flood_counts(map, 50)) << "round " << round;
  }
}

}  // namespace
}  // namespace padim
