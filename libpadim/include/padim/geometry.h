#pragma once

#include <string>

namespace padim {

/// Width and height in pixels or positions.
struct Size {
  int width = 0;
  int height = 0;
  friend bool operator==(const Size&, const Size&) = default;
};

/// Which part of a frame the network sees.
enum class GeometryMode {
  full,   ///< the whole frame, resized with antialiasing; made for live video
  paper,  ///< shorter side to 256 (Pillow's 8-bit Lanczos), centre crop 224; made for comparisons
};

/// Affine map from network-input coordinates (u, v) to frame coordinates: x = offset_x + scale_x * u,
/// y = offset_y + scale_y * v. Coordinates are continuous: pixel i covers [i, i+1).
struct FrameMapping {
  double offset_x = 0;
  double offset_y = 0;
  double scale_x = 1;
  double scale_y = 1;
};

/// The geometry a model was fitted with; recorded in the model, so that detection does exactly what the fit did.
struct Geometry {
  GeometryMode mode = GeometryMode::full;
  Size input;         ///< network input; both sides are multiples of the backbone's largest stride
  Size fitted_frame;  ///< size of the first fitted frame; `full` accepts frames of this aspect ratio only

  friend bool operator==(const Geometry&, const Geometry&) = default;
};

/// Chooses the geometry for frames of size `frame`. `requested` is the wanted network input; {0,0} takes the
/// default: `full` keeps the aspect ratio at about 256x256 pixels in all, `paper` takes 224x224. The sides are
/// rounded to multiples of `multiple` (the backbone's largest stride).
/// Throws invalid_argument where `requested` is negative, not a multiple, smaller than one multiple or
/// larger than 4096 on a side, or, for `paper`, not square.
[[nodiscard]] Geometry choose_geometry(GeometryMode mode, Size requested, Size frame, int multiple);

/// Where the network input of `geometry` lies in a frame of size `frame`. Throws mismatch where the frame's aspect
/// ratio differs by more than 2 % from the fitted one (`full`).
[[nodiscard]] FrameMapping map_to_frame(const Geometry& geometry, Size frame);

[[nodiscard]] std::string to_string(GeometryMode mode);              ///< "full" or "paper"
[[nodiscard]] GeometryMode parse_geometry(const std::string& name);  ///< throws invalid_argument
[[nodiscard]] Size parse_size(const std::string& text);  ///< "WxH", or "" for {0,0}; throws invalid_argument

}  // namespace padim
