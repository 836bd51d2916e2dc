#pragma once

#include "padim/geometry.h"

namespace padim {

/// The part `source` of a frame is resized to `resized`; the network input is the part of it that starts at
/// (left, top).
struct Crop {
  Roi source;  ///< in pixels of the frame
  Size resized;
  int left = 0;
  int top = 0;
};

/// The crop of `geometry` in a frame of size `frame`. Throws mismatch as map_to_frame does.
[[nodiscard]] Crop crop_of(const Geometry& geometry, Size frame);

/// True where the aspect ratio of `a` is that of `b` within 2 %.
[[nodiscard]] bool same_shape(Size a, Size b);

}  // namespace padim
