#include "image/connected_runs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace padim {
namespace {

/// Labels by flooding from pixel to pixel: 0 where the threshold is not reached.
template <class Value>
std::vector<int> flooded(const std::vector<Value>& values, int width, Value threshold) {
  const int height = static_cast<int>(values.size()) / width;
  std::vector<int> labels(values.size());
  int label = 0;
  for (std::size_t start = 0; start < values.size(); ++start) {
    if (!(values[start] >= threshold) || labels[start] != 0) continue;
    std::vector<std::size_t> open{start};
    labels[start] = ++label;
    while (!open.empty()) {
      const int x = static_cast<int>(open.back()) % width;
      const int y = static_cast<int>(open.back()) / width;
      open.pop_back();
      for (int v = std::max(y - 1, 0); v <= std::min(y + 1, height - 1); ++v) {
        for (int u = std::max(x - 1, 0); u <= std::min(x + 1, width - 1); ++u) {
          const auto next = static_cast<std::size_t>(v * width + u);
          if (!(values[next] >= threshold) || labels[next] != 0) continue;
          labels[next] = label;
          open.push_back(next);
        }
      }
    }
  }
  return labels;
}

Component united(const std::vector<int>& labels, int label, int width, const std::vector<float>& values) {
  Component all{width, 0, std::numeric_limits<int>::max(), 0, 0, -INFINITY};
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] != label) continue;
    const int x = static_cast<int>(i) % width;
    const int y = static_cast<int>(i) / width;
    all = {std::min(all.left, x), std::max(all.right, x + 1),   std::min(all.top, y), std::max(all.bottom, y + 1),
           all.count + 1,         std::max(all.peak, values[i])};
  }
  return all;
}

/// Runs as labels, numbered in the order in which components begin.
std::vector<int> labels_of(std::vector<ConnectedRun>& runs, std::size_t pixels, int width) {
  std::vector<int> labels(pixels);
  std::map<std::size_t, int> numbers;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const int label = numbers.try_emplace(root_of(runs, i), static_cast<int>(numbers.size()) + 1).first->second;
    for (int x = runs[i].begin; x < runs[i].end; ++x) labels[static_cast<std::size_t>(runs[i].row * width + x)] = label;
  }
  return labels;
}

// On random pictures of every density the components are those of a flood fill, with their boxes, counts and peaks.
TEST(ConnectedRuns, EqualAFloodFill) {
  std::mt19937 random(11);
  std::vector<ConnectedRun> runs;
  for (int round = 0; round < 400; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    const int width = 1 + static_cast<int>(random() % 40);
    const int height = 1 + static_cast<int>(random() % 30);
    const auto density = static_cast<float>(random() % 100) / 100;
    std::vector<float> values(static_cast<std::size_t>(width * height));
    for (float& value : values) value = static_cast<float>(random() % 1000) / 1000;
    if (round % 3 == 0) values[random() % values.size()] = std::numeric_limits<float>::quiet_NaN();
    find_connected_runs(values, width, density, runs);
    const std::vector<int> labels = labels_of(runs, values.size(), width);
    ASSERT_EQ(labels, flooded(values, width, density));
    for (std::size_t i = 0; i < runs.size(); ++i) {
      if (root_of(runs, i) != i) continue;
      const auto first = static_cast<std::size_t>(runs[i].row * width + runs[i].begin);
      const Component expected = united(labels, labels[first], width, values);
      const Component& found = runs[i].component;
      EXPECT_EQ(found.left, expected.left);
      EXPECT_EQ(found.right, expected.right);
      EXPECT_EQ(found.top, expected.top);
      EXPECT_EQ(found.bottom, expected.bottom);
      EXPECT_EQ(found.count, expected.count);
      EXPECT_EQ(found.peak, expected.peak);
    }
  }
}

// The same of masks, and of pictures without a pixel that reaches the threshold or without any.
TEST(ConnectedRuns, TakeMasks) {
  std::mt19937 random(12);
  std::vector<ConnectedRun> runs;
  for (int round = 0; round < 100; ++round) {
    const int width = 1 + static_cast<int>(random() % 25);
    std::vector<std::uint8_t> mask(static_cast<std::size_t>(width) * (1 + random() % 25));
    for (std::uint8_t& value : mask) value = random() % 3 == 0 ? static_cast<std::uint8_t>(random()) : std::uint8_t{0};
    find_connected_runs(mask, width, runs);
    ASSERT_EQ(labels_of(runs, mask.size(), width), flooded(mask, width, std::uint8_t{1})) << round;
  }
  find_connected_runs(std::span<const std::uint8_t>(), 0, runs);
  EXPECT_TRUE(runs.empty());
}

}  // namespace
}  // namespace padim
