#include "overlay/strokes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

// A line is drawn by distance: a pixel whose centre lies d from the line's axis has ink that falls from kLineCore
// inside to 0 outside, over one pixel of smoothing plus the casing. Where lines meet, the larger ink stays, so that
// joints of a contour's short pieces do not show.

namespace padim {
namespace {

double casing(double width) { return std::max(0.75, width * 0.3); }

int profile(double distance, double width) {
  const double t = (width / 2 + casing(width) + 0.5 - distance) / (casing(width) + 1);
  return static_cast<int>(std::clamp(t, 0.0, 1.0) * kLineCore + 0.5);
}

struct Interval {
  int begin = 0;
  int end = 0;
};

/// The pixels of [0, limit) whose centres may lie within [low, high].
Interval pixels_between(double low, double high, int limit) {
  const double begin = std::clamp(std::floor(low), 0.0, static_cast<double>(limit));
  const double end = std::clamp(std::ceil(high), begin, static_cast<double>(limit));
  return {static_cast<int>(begin), static_cast<int>(end)};
}

/// The part of row y that a line with this reach can touch.
Interval columns_in_row(Point a, Point b, double y, double reach, int limit) {
  double low = std::min(a.x, b.x);
  double high = std::max(a.x, b.x);
  if (std::abs(b.y - a.y) > 1e-9) {
    const auto x_at = [&](double at) { return a.x + (b.x - a.x) * std::clamp((at - a.y) / (b.y - a.y), 0.0, 1.0); };
    low = std::min(x_at(y - reach), x_at(y + reach));
    high = std::max(x_at(y - reach), x_at(y + reach));
  }
  return pixels_between(low - reach, high + reach, limit);
}

float clean(float value, float ceiling) { return value >= 0 ? std::min(value, ceiling) : 0.0F; }

/// Where the level lies between two samples, 0..1.
double crossing(double a, double b, double level) { return std::clamp((level - a) / (b - a), 0.0, 1.0); }

/// The corners of one square between four samples, in the order top left, top right, bottom right, bottom left.
struct Square {
  std::array<double, 4> value;
  Point origin;  ///< frame coordinates of the first corner
  Point step;
};

/// Up to two pieces of contour: edge e joins corner e to corner e + 1. A saddle is resolved by the middle's value.
void stroke_square(InkLayer& layer, const Square& square, double level, double width) {
  constexpr std::array<Point, 4> kCorner = {{{0, 0}, {1, 0}, {1, 1}, {0, 1}}};
  std::array<Point, 4> points;
  std::size_t count = 0;
  for (std::size_t e = 0; e < 4; ++e) {
    const std::size_t next = (e + 1) % 4;
    const double a = square.value[e];
    const double b = square.value[next];
    if ((a >= level) == (b >= level)) continue;
    const double t = crossing(a, b, level);
    points[count++] = {square.origin.x + square.step.x * (kCorner[e].x + t * (kCorner[next].x - kCorner[e].x)),
                       square.origin.y + square.step.y * (kCorner[e].y + t * (kCorner[next].y - kCorner[e].y))};
  }
  if (count == 2) stroke(layer, points[0], points[1], width);
  if (count != 4) return;
  const double middle = (square.value[0] + square.value[1] + square.value[2] + square.value[3]) / 4;
  const bool cut_first = (middle >= level) == (square.value[0] >= level);
  stroke(layer, points[0], points[cut_first ? 1 : 3], width);
  stroke(layer, points[2], points[cut_first ? 3 : 1], width);
}

bool crosses(const float* above, const float* below, int width, float level) {
  int reach = 0;
  int miss = 0;
  for (int x = 0; x < width; ++x) {
    reach |= (above[x] >= level ? 1 : 0) | (below[x] >= level ? 1 : 0);
    miss |= (above[x] >= level ? 0 : 1) | (below[x] >= level ? 0 : 1);
  }
  return reach != 0 && miss != 0;
}

}  // namespace

Paint line_paint(int ink) {
  const double t = static_cast<double>(std::min(ink, kLineCore)) / kLineCore;
  const double white = 255 * std::clamp(2 * t - 1, 0.0, 1.0);
  return {white, white, white, std::min(1.0, 1.1 * t)};
}

void stroke(InkLayer& layer, Point a, Point b, double width) {
  const double reach = width / 2 + casing(width) + 0.5;
  const Segment segment(a, b);
  const Interval rows = pixels_between(std::min(a.y, b.y) - reach, std::max(a.y, b.y) + reach, layer.size().height);
  for (int y = rows.begin; y < rows.end; ++y) {
    const Interval columns = columns_in_row(a, b, y + 0.5, reach, layer.size().width);
    if (columns.begin >= columns.end) continue;
    std::uint8_t* ink = layer.touch(y, columns.begin, columns.end);
    for (int x = columns.begin; x < columns.end; ++x) {
      const double squared = segment.squared_distance(x + 0.5, y + 0.5);
      if (squared >= reach * reach || ink[x] == kLineCore) continue;
      const int value = profile(std::sqrt(squared), width);
      if (value > ink[x]) ink[x] = static_cast<std::uint8_t>(value);
    }
  }
}

void stroke_box(InkLayer& layer, const Region& region, double width) {
  const double inset = std::ceil(width / 2);
  const double right = std::max<double>(inset, layer.size().width - inset);
  const double bottom = std::max<double>(inset, layer.size().height - inset);
  const double x0 = std::clamp<double>(region.x, inset, right);
  const double y0 = std::clamp<double>(region.y, inset, bottom);
  const double x1 = std::clamp<double>(region.x + region.width, inset, right);
  const double y1 = std::clamp<double>(region.y + region.height, inset, bottom);
  stroke(layer, {x0, y0}, {x1, y0}, width);
  stroke(layer, {x1, y0}, {x1, y1}, width);
  stroke(layer, {x1, y1}, {x0, y1}, width);
  stroke(layer, {x0, y1}, {x0, y0}, width);
}

void stroke_contour(InkLayer& layer, const ScoreMap& map, double raw_level, const FrameMapping& mapping, double width) {
  if (!(std::isfinite(raw_level) && raw_level > 0)) return;
  const auto level = static_cast<float>(raw_level);
  const float ceiling = 2 * level;  // where a steep surface crosses the level must not depend on infinities
  for (int y = 0; y + 1 < map.height; ++y) {
    const float* above = map.values.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(map.width);
    const float* below = above + map.width;
    if (!crosses(above, below, map.width, level)) continue;
    for (int x = 0; x + 1 < map.width; ++x) {
      const int reach = (above[x] >= level ? 1 : 0) + (above[x + 1] >= level ? 1 : 0) + (below[x] >= level ? 1 : 0) +
                        (below[x + 1] >= level ? 1 : 0);
      if (reach == 0 || reach == 4) continue;
      const Square square = {
          {clean(above[x], ceiling), clean(above[x + 1], ceiling), clean(below[x + 1], ceiling),
           clean(below[x], ceiling)},
          {mapping.offset_x + mapping.scale_x * (x + 0.5), mapping.offset_y + mapping.scale_y * (y + 0.5)},
          {mapping.scale_x, mapping.scale_y}};
      stroke_square(layer, square, level, width);
    }
  }
}

}  // namespace padim
