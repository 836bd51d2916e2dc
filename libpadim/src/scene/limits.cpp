#include "scene/limits.h"

#include <algorithm>

#include "base/order_statistic.h"

namespace padim {
namespace {

constexpr std::int64_t kBlocksInAFit = 8;
constexpr std::int64_t kShortestBlock = 4;
constexpr std::int64_t kLongestBlock = 32;  // a second of video
constexpr double kChance = 1000;            // once in so many times

}  // namespace

float median_distance(std::span<const float> distances, std::span<const std::uint8_t> counts,
                      std::vector<float>& scratch) {
  scratch.clear();
  for (std::size_t i = 0; i < distances.size(); ++i) {
    if (counts.empty() || counts[i] != 0) scratch.push_back(distances[i]);
  }
  return scratch.empty() ? 0 : median(std::span(scratch));
}

float lower_quartile(std::span<float> values) { return order_statistic(values, values.size() / 4); }

double scene_limits(std::vector<std::vector<float>> medians_per_segment) {
  float largest = 0;
  for (std::vector<float>& medians : medians_per_segment) {
    if (!medians.empty()) largest = std::max(largest, lower_quartile(medians));
  }
  return static_cast<double>(largest);
}

int scene_block_frames(std::int64_t fitted) {
  return static_cast<int>(std::clamp(fitted / kBlocksInAFit, kShortestBlock, kLongestBlock));
}

int scene_blocks_needed(int segments) {
  int blocks = 0;
  double choices = 1;  // C(segments + blocks, blocks)
  while (choices < kChance) {
    ++blocks;
    choices = choices * (segments + blocks) / blocks;
  }
  return blocks;
}

}  // namespace padim
