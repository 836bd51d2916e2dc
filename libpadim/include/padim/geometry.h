#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "padim/export.h"

namespace padim {

/// Width and height in pixels or positions.
struct Size {
  int width = 0;
  int height = 0;
  friend bool operator==(const Size&, const Size&) = default;
};

/// A rectangle of whole pixels; width 0: everything.
struct Rectangle {
  int x = 0;
  int y = 0;
  int width = 0;
  int height = 0;
  friend bool operator==(const Rectangle&, const Rectangle&) = default;
};

/// The part of a frame that counts, as a user gives it: in pixels, or in fractions of the frame where no number is
/// above 1. width 0: the whole frame.
struct Roi {
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;
  friend bool operator==(const Roi&, const Roi&) = default;
};

/// A picture of the whole frame, of any size, that says which places count: values below 128 are ignored. Empty:
/// everything counts.
struct MaskPicture {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> values = {};  ///< [height, width]
  friend bool operator==(const MaskPicture&, const MaskPicture&) = default;
};

/// How the network sees a frame.
enum class GeometryMode {
  full,   ///< the whole frame or its ROI, resized with antialiasing; made for live video
  paper,  ///< of the frame or its ROI: shorter side to 256 (Pillow's 8-bit Lanczos), centre crop 224; made for
          ///< comparisons
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
  Size input;          ///< network input; both sides are multiples of the backbone's largest stride
  Size fitted_frame;   ///< size of the first fitted frame; `full`, ROI and mask need frames of this aspect ratio
  Rectangle roi = {};  ///< the part of the fitted frame that counts
  /// Within the ROI, [input.height, input.width]: 1 where a pixel counts, 0 where it is ignored; empty: all of it
  /// counts. What is ignored is painted over before the network sees it, and never scores.
  std::vector<std::uint8_t> mask = {};

  friend bool operator==(const Geometry&, const Geometry&) = default;
};

/// Chooses the geometry for frames of size `frame`. `requested` is the wanted network input; {0,0} takes the
/// default: `full` keeps the aspect ratio at about 256x256 pixels in all, `paper` takes 224x224. The sides are
/// rounded to multiples of `multiple` (the backbone's largest stride).
/// Throws invalid_argument where `requested` is negative, not a multiple, smaller than one multiple or
/// larger than 4096 on a side, or, for `paper`, not square; where `roi` does not lie in the frame or is smaller than
/// 16 pixels; where `mask` has another shape than the frame or ignores all of the ROI.
[[nodiscard]] PADIM_API Geometry choose_geometry(GeometryMode mode, Size requested, Size frame, int multiple,
                                                 const Roi& roi = {}, const MaskPicture& mask = {});

/// `roi` in whole pixels of a frame. Throws invalid_argument as choose_geometry does.
[[nodiscard]] PADIM_API Rectangle to_pixels(const Roi& roi, Size frame);

/// Where the network input of `geometry` lies in a frame of size `frame`. Throws mismatch where the frame's aspect
/// ratio differs by more than 2 % from the fitted one (`full`, and where there is a ROI or a mask).
[[nodiscard]] PADIM_API FrameMapping map_to_frame(const Geometry& geometry, Size frame);

[[nodiscard]] PADIM_API std::string to_string(GeometryMode mode);              ///< "full" or "paper"
[[nodiscard]] PADIM_API GeometryMode parse_geometry(const std::string& name);  ///< throws invalid_argument
/// "x,y,width,height", or "" for the whole frame; throws invalid_argument.
[[nodiscard]] PADIM_API Roi parse_roi(const std::string& text);
[[nodiscard]] PADIM_API std::string to_string(Size size);          ///< "WxH"
[[nodiscard]] PADIM_API Size parse_size(const std::string& text);  ///< "WxH", or "" for {0,0}; throws invalid_argument

}  // namespace padim
