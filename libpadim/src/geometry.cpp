// Which pixels of a frame the network sees. full: the whole frame, its sides rounded to multiples of the largest stride
// at about 256 x 256 pixels in all. paper: torchvision's Resize(256) and CenterCrop(224) as the published
// implementation uses them: the longer side is truncated, the crop's corner rounded half to even.

#include "padim/geometry.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "crop.h"
#include "padim/error.h"

namespace padim {
namespace {

constexpr int kDefaultSide = 256;
constexpr int kPaperCrop = 224;
constexpr int kPaperResize = 256;
constexpr int kMaximumSide = 4096;
constexpr double kAspectTolerance = 0.02;

std::string text(Size size) { return std::to_string(size.width) + "x" + std::to_string(size.height); }

[[noreturn]] void reject(Size size, const std::string& remedy) {
  throw Error(ErrorCode::invalid_argument, "input size " + text(size) + " is not usable: " + remedy);
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

}  // namespace

Geometry choose_geometry(GeometryMode mode, Size requested, Size frame, int multiple) {
  if (frame.width < 1 || frame.height < 1) {
    throw Error(ErrorCode::invalid_argument, "a frame of " + text(frame) + " pixels has no content");
  }
  if (requested != Size{}) check_requested(mode, requested, multiple);
  return {mode, requested == Size{} ? default_input(mode, frame, multiple) : requested, frame};
}

Crop crop_of(const Geometry& geometry, Size frame) {
  if (geometry.mode == GeometryMode::full) {
    const double fitted = static_cast<double>(geometry.fitted_frame.width) / geometry.fitted_frame.height;
    const double aspect = static_cast<double>(frame.width) / frame.height;
    if (std::abs(aspect / fitted - 1) > kAspectTolerance) {
      throw Error(ErrorCode::mismatch, "a frame of " + text(frame) + " does not have the shape of the fitted ones (" +
                                           text(geometry.fitted_frame) +
                                           "): scale or crop the video to that aspect ratio, or fit a new model");
    }
    return {geometry.input, 0, 0};
  }
  const int crop = geometry.input.width;
  const int resize = static_cast<int>(std::lround(static_cast<double>(crop) * kPaperResize / kPaperCrop));
  const std::int64_t scaled_width = std::int64_t{resize} * frame.width / frame.height;
  const std::int64_t scaled_height = std::int64_t{resize} * frame.height / frame.width;
  if (std::max(scaled_width, scaled_height) > 64 * kMaximumSide) {
    throw Error(ErrorCode::mismatch, "a frame of " + text(frame) + " is too narrow for geometry 'paper'");
  }
  const Size resized = frame.width <= frame.height ? Size{resize, static_cast<int>(scaled_height)}
                                                   : Size{static_cast<int>(scaled_width), resize};
  return {resized, static_cast<int>(std::nearbyint((resized.width - crop) / 2.0)),
          static_cast<int>(std::nearbyint((resized.height - crop) / 2.0))};
}

FrameMapping map_to_frame(const Geometry& geometry, Size frame) {
  const Crop crop = crop_of(geometry, frame);
  const double scale_x = static_cast<double>(frame.width) / crop.resized.width;
  const double scale_y = static_cast<double>(frame.height) / crop.resized.height;
  return {crop.left * scale_x, crop.top * scale_y, scale_x, scale_y};
}

std::string to_string(GeometryMode mode) { return mode == GeometryMode::full ? "full" : "paper"; }

GeometryMode parse_geometry(const std::string& name) {
  if (name == "full") return GeometryMode::full;
  if (name == "paper") return GeometryMode::paper;
  throw Error(ErrorCode::invalid_argument, "geometry '" + name + "' is unknown: use full or paper");
}

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
