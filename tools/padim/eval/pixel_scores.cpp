#include "eval/pixel_scores.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace padim::tool {
namespace {

/// A pixel lies `weight` of the way from the map's position `low` to `high`.
struct Tap {
  int low;
  int high;
  float weight;
};

/// The frame pixels of one axis whose centre the map covers, and where they lie in the map.
struct FrameAxis {
  int first = 0;
  std::vector<Tap> taps;
};

FrameAxis frame_axis(int map_side, double offset, double scale, int frame_side) {
  FrameAxis axis;
  // Half-way rounding must not lose the border pixel of a map that covers the whole frame.
  const double tolerance = 1e-6;
  axis.first = std::max(0, static_cast<int>(std::ceil(offset - 0.5 - tolerance)));
  const int end = std::min(frame_side, static_cast<int>(std::ceil(offset + scale * map_side - 0.5 - tolerance)));
  for (int x = axis.first; x < end; ++x) {
    const double at = std::clamp((x + 0.5 - offset) / scale - 0.5, 0.0, map_side - 1.0);
    const int low = static_cast<int>(at);
    axis.taps.push_back({low, std::min(low + 1, map_side - 1), static_cast<float>(at - low)});
  }
  return axis;
}

void interpolate(const ScoreMap& map, const FrameAxis& columns, const FrameAxis& rows, std::vector<float>& scores) {
  const auto width = static_cast<std::size_t>(map.width);
  std::vector<float> line(width);
  scores.resize(columns.taps.size() * rows.taps.size());
  float* out = scores.data();
  for (const Tap& row : rows.taps) {
    const float* low = map.values.data() + static_cast<std::size_t>(row.low) * width;
    const float* high = map.values.data() + static_cast<std::size_t>(row.high) * width;
    for (std::size_t x = 0; x < width; ++x) line[x] = low[x] + (high[x] - low[x]) * row.weight;
    for (const Tap& column : columns.taps) {
      *out++ =
          line[static_cast<std::size_t>(column.low)] +
          (line[static_cast<std::size_t>(column.high)] - line[static_cast<std::size_t>(column.low)]) * column.weight;
    }
  }
}

void compare_in_frame(const ScoreMap& map, const FrameMapping& mapping, Size frame, const cv::Mat& mask,
                      PixelScores& result) {
  const FrameAxis columns = frame_axis(map.width, mapping.offset_x, mapping.scale_x, frame.width);
  const FrameAxis rows = frame_axis(map.height, mapping.offset_y, mapping.scale_y, frame.height);
  interpolate(map, columns, rows, result.scores);
  result.place = {columns.first, rows.first, static_cast<int>(columns.taps.size()), static_cast<int>(rows.taps.size())};
  result.mask.assign(result.scores.size(), 0);
  if (mask.empty()) return;
  mask(result.place).copyTo(cv::Mat(result.place.size(), CV_8U, result.mask.data()));
}

// For every position 0..count-1 of a network input the pixel of an image `side` pixels long that it shows: the nearest
// one, as Pillow's resize finds it.
std::vector<int> nearest_positions(int count, double offset, double scale, int side) {
  std::vector<int> positions(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    const int nearest = static_cast<int>(std::floor(offset + scale * (i + 0.5)));
    positions[static_cast<std::size_t>(i)] = std::clamp(nearest, 0, side - 1);
  }
  return positions;
}

void compare_at_map(const ScoreMap& map, const FrameMapping& mapping, const cv::Mat& mask, PixelScores& result) {
  result.place = {0, 0, map.width, map.height};
  result.scores = map.values;
  result.mask.assign(result.scores.size(), 0);
  if (mask.empty()) return;
  const auto columns = nearest_positions(map.width, mapping.offset_x, mapping.scale_x, mask.cols);
  const auto rows = nearest_positions(map.height, mapping.offset_y, mapping.scale_y, mask.rows);
  auto out = result.mask.begin();
  for (const int y : rows) {
    const auto* row = mask.ptr<std::uint8_t>(y);
    for (const int x : columns) *out++ = row[x];
  }
}

}  // namespace

void compare(const ScoreMap& map, const FrameMapping& mapping, Size frame, const cv::Mat& mask, PixelRaster raster,
             PixelScores& result) {
  if (raster == PixelRaster::frame) {
    compare_in_frame(map, mapping, frame, mask, result);
  } else {
    compare_at_map(map, mapping, mask, result);
  }
}

}  // namespace padim::tool
