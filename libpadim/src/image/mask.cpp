// Ignored places are kept from the score three times over. They are painted grey before the network sees them, as
// patches beside them look there; their own patches count nothing in the score map (score_mapping); and the map is 0
// where they are.

#include "image/mask.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "image/crop.h"
#include "padim/error.h"

namespace padim {
namespace {

constexpr std::uint8_t kGrey = 124;    // close to the mean of natural images, which normalisation makes 0
constexpr std::uint8_t kCounts = 128;  // values of the picture from here on count

void check(const MaskPicture& picture, Size frame) {
  const auto size =
      static_cast<std::size_t>(std::max(picture.width, 0)) * static_cast<std::size_t>(std::max(picture.height, 0));
  if (size == 0 || picture.values.size() != size) {
    throw Error(ErrorCode::invalid_argument, "the mask's size contradicts its values");
  }
  if (!same_shape({picture.width, picture.height}, frame)) {
    throw Error(ErrorCode::invalid_argument, "the mask of " + to_string(Size{picture.width, picture.height}) +
                                                 " does not have the shape of the frames (" + to_string(frame) +
                                                 "): draw it on a picture of a whole frame");
  }
}

/// Samples of the picture along one axis.
struct Interval {
  int begin;
  int end;
};

/// One axis of the network's input in the frame, and of the frame in the picture.
struct Axis {
  double offset;
  double scale;
  double to_picture;
  int limit;
};

/// What pixel `i` of the network's input sees through a resize filter of `support`, which is widened by the scale,
/// but never below one sample; a sample of chroma is two pixels of the frame.
Interval seen_by(int i, int support, const Axis& axis) {
  constexpr double kSlack = 1e-6;  // rounding of the mapping must not add a sample
  const double centre = axis.offset + axis.scale * (i + 0.5);
  const double reach = support * std::max(axis.scale, 2.0) - kSlack;
  const double first = std::floor((centre - reach) / 2) * 2 * axis.to_picture;
  const double last = std::ceil((centre + reach) / 2) * 2 * axis.to_picture;
  const int begin = std::clamp(static_cast<int>(std::floor(first + kSlack)), 0, axis.limit - 1);
  return {begin, std::clamp(static_cast<int>(std::ceil(last - kSlack)), begin + 1, axis.limit)};
}

bool all_count(const MaskPicture& picture, Interval x, Interval y) {
  for (int row = y.begin; row < y.end; ++row) {
    const auto* values = picture.values.data() + static_cast<std::ptrdiff_t>(row) * picture.width;
    if (std::any_of(values + x.begin, values + x.end, [](std::uint8_t v) { return v < kCounts; })) return false;
  }
  return true;
}

}  // namespace

std::vector<std::uint8_t> resolve_mask(const MaskPicture& picture, const Geometry& geometry) {
  const Size frame = geometry.fitted_frame;
  check(picture, frame);
  const FrameMapping at = map_to_frame(geometry, frame);
  const Axis x_axis{at.offset_x, at.scale_x, static_cast<double>(picture.width) / frame.width, picture.width};
  const Axis y_axis{at.offset_y, at.scale_y, static_cast<double>(picture.height) / frame.height, picture.height};
  const int support = geometry.mode == GeometryMode::paper ? 3 : 1;
  std::vector<std::uint8_t> mask;
  mask.reserve(static_cast<std::size_t>(geometry.input.width) * static_cast<std::size_t>(geometry.input.height));
  for (int v = 0; v < geometry.input.height; ++v) {
    const Interval y = seen_by(v, support, y_axis);
    for (int u = 0; u < geometry.input.width; ++u) {
      mask.push_back(all_count(picture, seen_by(u, support, x_axis), y) ? 1 : 0);
    }
  }
  if (std::find(mask.begin(), mask.end(), 1) == mask.end()) {
    throw Error(ErrorCode::invalid_argument,
                "the mask ignores everything: what counts must be bright, and wider than "
                "a few pixels of the network's input");
  }
  return mask;
}

std::vector<std::uint8_t> intersection(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) {
  if (a.empty()) return {b.begin(), b.end()};
  std::vector<std::uint8_t> result(a.begin(), a.end());
  for (std::size_t i = 0; i < b.size(); ++i) result[i] &= b[i];
  return result;
}

std::vector<std::uint8_t> counting_positions(std::span<const std::uint8_t> mask, Size input, Size positions) {
  if (mask.empty()) return {};
  std::vector<std::uint8_t> counts(static_cast<std::size_t>(positions.width) *
                                   static_cast<std::size_t>(positions.height));
  for (int y = 0; y < input.height; ++y) {
    for (int x = 0; x < input.width; ++x) {
      const int position = y * positions.height / input.height * positions.width + x * positions.width / input.width;
      counts[static_cast<std::size_t>(position)] |=
          mask[static_cast<std::size_t>(y) * static_cast<std::size_t>(input.width) + static_cast<std::size_t>(x)];
    }
  }
  return counts;
}

void blank(std::span<const std::uint8_t> mask, std::span<std::uint8_t> rgb) noexcept {
  for (std::size_t i = 0; i < mask.size(); ++i) {
    if (mask[i] == 0) std::fill_n(rgb.data() + 3 * i, 3, kGrey);
  }
}

}  // namespace padim
