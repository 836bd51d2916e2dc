#pragma once

#include "overlay/layer.h"
#include "overlay/segment.h"
#include "padim/geometry.h"
#include "padim/score_map.h"

namespace padim {

/// Ink of lines: 1 (outermost, dark casing) to kLineCore (white). Text uses the values above.
inline constexpr int kLineCore = 127;

/// How ink of a line looks: white with a thin dark casing, legible on any background.
[[nodiscard]] Paint line_paint(int ink);

/// Draws a straight line of `width` pixels, with round ends and smooth edges; clipped to the layer.
void stroke(InkLayer& layer, Point a, Point b, double width);

/// Draws the rectangle of `region`, moved inwards where the line would leave the layer.
void stroke_box(InkLayer& layer, const Region& region, double width);

/// Draws the line where the bilinear surface through the map's samples crosses `raw_level` (marching squares).
void stroke_contour(InkLayer& layer, const ScoreMap& map, double raw_level, const FrameMapping& mapping, double width);

}  // namespace padim
