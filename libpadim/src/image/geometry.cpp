// Which pixels of a frame the network sees. A ROI takes the frame's place in all that follows. full: the whole frame,
// its sides rounded to multiples of the largest stride at about 256 x 256 pixels in all. paper: torchvision's
// Resize(256) and CenterCrop(224) as the published implementation uses them: the longer side is truncated, the crop's
// corner rounded half to even.

#include "padim/geometry.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

#include "image/crop.h"
#include "image/mask.h"
#include "padim/error.h"

namespace padim {
namespace {

constexpr int kDefaultSide = 256;
constexpr int kPaperCrop = 224;
constexpr int kPaperResize = 256;
constexpr int kMaximumSide = 4096;
constexpr int kSmallestRoi = 16;
constexpr double kAspectTolerance = 0.02;

[[noreturn]] void reject(Size size, const std::string& remedy) {
  throw Error(ErrorCode::invalid_argument, "input size " + to_string(size) + " is not usable: " + remedy);
}

void check_requested(GeometryMode mode, Size size, int multiple) {
  if (size.width < multiple || size.height < multiple || size.width > kMaximumSide || size.height > kMaximumSide) {
    reject(size, "each side must be " + std::to_string(multiple) + ".." + std::to_string(kMaximumSide));
  }
  if (size.width % multiple != 0 || size.height % multiple != 0) {
    reject(size, "each side must be a multiple of " + std::to_string(multiple) + ", the backbone's largest stride");
  }
  if (mode == GeometryMode::paper && size.width != size.height) reject(size, "geometry 'paper' needs a square");
}

int rounded(double side, int multiple) {
  return std::clamp(static_cast<int>(std::lround(side / multiple)), 1, kMaximumSide / multiple) * multiple;
}

Size default_input(GeometryMode mode, Size frame, int multiple) {
  if (mode == GeometryMode::paper) return {kPaperCrop, kPaperCrop};
  const double aspect = std::sqrt(static_cast<double>(frame.width) / frame.height);
  return {rounded(kDefaultSide * aspect, multiple), rounded(kDefaultSide / aspect, multiple)};
}

// The ROI in pixels of a frame of another size.
Roi roi_in(const Geometry& geometry, Size frame) {
  const Rectangle& roi = geometry.roi;
  const double width = frame.width;
  const double height = frame.height;
  if (roi.width == 0) return {0, 0, width, height};
  const Size fitted = geometry.fitted_frame;
  return {roi.x * width / fitted.width, roi.y * height / fitted.height, roi.width * width / fitted.width,
          roi.height * height / fitted.height};
}

void check_aspect(const Geometry& geometry, Size frame) {
  if (same_shape(frame, geometry.fitted_frame)) return;
  throw Error(ErrorCode::mismatch, "a frame of " + to_string(frame) + " does not have the shape of the fitted ones (" +
                                       to_string(geometry.fitted_frame) +
                                       "): scale or crop the video to that aspect ratio, or fit a new model");
}

// torchvision's Resize(256) of the source, and its CenterCrop(224).
Crop paper_crop(const Geometry& geometry, const Roi& source) {
  const int crop = geometry.input.width;
  const int resize = static_cast<int>(std::lround(static_cast<double>(crop) * kPaperResize / kPaperCrop));
  const double scaled_width = std::floor(resize * source.width / source.height);
  const double scaled_height = std::floor(resize * source.height / source.width);
  if (std::max(scaled_width, scaled_height) > 64 * kMaximumSide) {
    throw Error(ErrorCode::mismatch, "what is looked at is too narrow for geometry 'paper'");
  }
  const Size resized = source.width <= source.height ? Size{resize, static_cast<int>(scaled_height)}
                                                     : Size{static_cast<int>(scaled_width), resize};
  return {source, resized, static_cast<int>(std::nearbyint((resized.width - crop) / 2.0)),
          static_cast<int>(std::nearbyint((resized.height - crop) / 2.0))};
}

}  // namespace

Rectangle to_pixels(const Roi& roi, Size frame) {
  if (roi == Roi{}) return {};
  const bool fractions = std::max({roi.x, roi.y, roi.width, roi.height}) <= 1;
  const auto pixels = [&](double value, int side) {
    return static_cast<int>(std::lround(fractions ? value * side : std::min(value, 1e6)));
  };
  const int left = pixels(roi.x, frame.width);
  const int top = pixels(roi.y, frame.height);
  const int right = pixels(roi.x + roi.width, frame.width);
  const int bottom = pixels(roi.y + roi.height, frame.height);
  const Rectangle found{left, top, right - left, bottom - top};
  if (left < 0 || top < 0 || right > frame.width || bottom > frame.height) {
    throw Error(ErrorCode::invalid_argument, "the ROI of " + to_string(Size{found.width, found.height}) +
                                                 " pixels at (" + std::to_string(left) + ", " + std::to_string(top) +
                                                 ") does not lie in a frame of " + to_string(frame));
  }
  if (found.width < kSmallestRoi || found.height < kSmallestRoi) {
    throw Error(ErrorCode::invalid_argument, "the ROI of " + to_string(Size{found.width, found.height}) +
                                                 " pixels is too small: each side must be 16 pixels or more");
  }
  return found == Rectangle{0, 0, frame.width, frame.height} ? Rectangle{} : found;
}

Geometry choose_geometry(GeometryMode mode, Size requested, Size frame, int multiple, const Roi& roi,
                         const MaskPicture& mask) {
  if (frame.width < 1 || frame.height < 1) {
    throw Error(ErrorCode::invalid_argument, "a frame of " + to_string(frame) + " pixels has no content");
  }
  if (requested != Size{}) check_requested(mode, requested, multiple);
  Geometry geometry{mode, requested, frame, to_pixels(roi, frame)};
  const Size seen = geometry.roi.width == 0 ? frame : Size{geometry.roi.width, geometry.roi.height};
  if (requested == Size{}) geometry.input = default_input(mode, seen, multiple);
  if (!mask.values.empty()) geometry.mask = resolve_mask(mask, geometry);
  return geometry;
}

bool same_shape(Size a, Size b) {
  const auto aspect = [](Size size) { return static_cast<double>(size.width) / size.height; };
  return std::abs(aspect(a) / aspect(b) - 1) <= kAspectTolerance;
}

Crop crop_of(const Geometry& geometry, Size frame) {
  const bool full = geometry.mode == GeometryMode::full;
  if (full || geometry.roi.width > 0 || !geometry.mask.empty()) check_aspect(geometry, frame);
  const Roi source = roi_in(geometry, frame);
  return full ? Crop{source, geometry.input, 0, 0} : paper_crop(geometry, source);
}

FrameMapping map_to_frame(const Geometry& geometry, Size frame) {
  const Crop crop = crop_of(geometry, frame);
  const double scale_x = crop.source.width / crop.resized.width;
  const double scale_y = crop.source.height / crop.resized.height;
  return {crop.source.x + crop.left * scale_x, crop.source.y + crop.top * scale_y, scale_x, scale_y};
}

std::string to_string(GeometryMode mode) { return mode == GeometryMode::full ? "full" : "paper"; }

GeometryMode parse_geometry(const std::string& name) {
  if (name == "full") return GeometryMode::full;
  if (name == "paper") return GeometryMode::paper;
  throw Error(ErrorCode::invalid_argument, "geometry '" + name + "' is unknown: use full or paper");
}

Roi parse_roi(const std::string& text) {
  if (text.empty()) return {};
  std::array<double, 4> numbers{};
  const char* at = text.data();
  const char* const end = at + text.size();
  bool good = true;
  for (double& number : numbers) {
    good = good && (&number == numbers.data() || (at != end && *at++ == ','));
    const auto [next, error] = std::from_chars(at, end, number);
    good = good && error == std::errc{} && std::isfinite(number) && number >= 0;
    at = next;
  }
  if (good && at == end && numbers[2] > 0 && numbers[3] > 0) return {numbers[0], numbers[1], numbers[2], numbers[3]};
  throw Error(ErrorCode::invalid_argument,
              "roi '" + text + "' is not x,y,width,height, such as 100,50,640,360 or 0.1,0.1,0.8,0.8");
}

std::string to_string(Size size) { return std::to_string(size.width) + "x" + std::to_string(size.height); }

Size parse_size(const std::string& text) {
  if (text.empty()) return {};
  const auto digits = [](const std::string& s) {
    return !s.empty() && s.size() <= 5 && s.find_first_not_of("0123456789") == std::string::npos;
  };
  const auto x = text.find('x');
  if (x != std::string::npos && digits(text.substr(0, x)) && digits(text.substr(x + 1))) {
    return {std::stoi(text.substr(0, x)), std::stoi(text.substr(x + 1))};
  }
  throw Error(ErrorCode::invalid_argument, "size '" + text + "' is not WIDTHxHEIGHT, such as 336x192");
}

}  // namespace padim
