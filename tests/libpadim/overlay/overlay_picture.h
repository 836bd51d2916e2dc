#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "padim/geometry.h"
#include "padim/image_view.h"

namespace padim {

enum class Rows { downwards, upwards };

/// A frame of random bytes with padded rows and guard rows; `bytes` is everything.
struct Picture {
  MutableImageView view;
  std::vector<std::uint8_t> bytes;

  Picture(PixelFormat format, Size size, Rows rows = Rows::downwards, unsigned seed = 1) {
    view.format = format;
    view.width = size.width;
    view.height = size.height;
    std::array<std::size_t, 3> start{};
    std::size_t total = 64;
    for (int p = 0; p < plane_count(format); ++p) {
      const auto plane = static_cast<std::size_t>(p);
      const int height = p == 0 ? size.height : (size.height + 1) / 2;
      const std::ptrdiff_t stride = row_bytes(p) + 13;
      start[plane] = total + (rows == Rows::upwards ? static_cast<std::size_t>((height - 1) * stride) : 0);
      view.stride[plane] = rows == Rows::upwards ? -stride : stride;
      total += static_cast<std::size_t>(height * stride) + 64;
    }
    bytes.resize(total);
    std::mt19937 random(seed);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
    for (std::size_t p = 0; p < static_cast<std::size_t>(plane_count(format)); ++p) {
      view.data[p] = bytes.data() + start[p];
    }
  }
  Picture(const Picture&) = delete;
  Picture& operator=(const Picture&) = delete;

  [[nodiscard]] std::ptrdiff_t row_bytes(int plane) const {
    const int pairs = (view.width + 1) / 2;
    switch (view.format) {
      case PixelFormat::gray8:
        return view.width;
      case PixelFormat::rgb:
      case PixelFormat::bgr:
        return std::ptrdiff_t{3} * view.width;
      case PixelFormat::rgbx:
      case PixelFormat::bgrx:
        return std::ptrdiff_t{4} * view.width;
      case PixelFormat::nv12:
        return plane == 0 ? view.width : std::ptrdiff_t{2} * pairs;
      case PixelFormat::i420:
        return plane == 0 ? view.width : pairs;
      case PixelFormat::yuy2:
      case PixelFormat::uyvy:
        return std::ptrdiff_t{4} * pairs;
    }
    return 0;
  }

  /// Where channel `c` of pixel (x, y) lies in `bytes`, by the formats' definitions.
  [[nodiscard]] std::size_t index(int x, int y, int c) const {
    const auto at = [&](std::size_t plane, int row, int byte) {
      return static_cast<std::size_t>(view.data[plane] + row * view.stride[plane] + byte - bytes.data());
    };
    switch (view.format) {
      case PixelFormat::gray8:
        return at(0, y, x);
      case PixelFormat::rgb:
        return at(0, y, 3 * x + c);
      case PixelFormat::bgr:
        return at(0, y, 3 * x + 2 - c);
      case PixelFormat::rgbx:
        return at(0, y, 4 * x + c);
      case PixelFormat::bgrx:
        return at(0, y, 4 * x + 2 - c);
      case PixelFormat::nv12:
        return c == 0 ? at(0, y, x) : at(1, y / 2, x / 2 * 2 + c - 1);
      case PixelFormat::i420:
        return c == 0 ? at(0, y, x) : at(static_cast<std::size_t>(c), y / 2, x / 2);
      case PixelFormat::yuy2:
        return at(0, y, c == 0 ? 2 * x : x / 2 * 4 + 2 * c - 1);
      case PixelFormat::uyvy:
        return at(0, y, c == 0 ? 2 * x + 1 : x / 2 * 4 + 2 * c - 2);
    }
    return 0;
  }

  [[nodiscard]] int channels() const { return view.format == PixelFormat::gray8 ? 1 : 3; }
};

struct Rgba {
  double r = 0, g = 0, b = 0, alpha = 0;
};

inline std::array<double, 3> convert(const Rgba& colour, const MutableImageView& view) {
  constexpr double kRed[] = {0.299, 0.2126, 0.2627};
  constexpr double kBlue[] = {0.114, 0.0722, 0.0593};
  if (view.format == PixelFormat::gray8) return {0.299 * colour.r + 0.587 * colour.g + 0.114 * colour.b, 0, 0};
  if (!is_yuv(view.format)) return {colour.r, colour.g, colour.b};
  const double kr = kRed[static_cast<int>(view.matrix)];
  const double kb = kBlue[static_cast<int>(view.matrix)];
  const double y = kr * colour.r + (1 - kr - kb) * colour.g + kb * colour.b;
  const double cb = (colour.b - y) / (2 - 2 * kb);
  const double cr = (colour.r - y) / (2 - 2 * kr);
  if (view.range == YuvRange::full) return {y, 128 + cb, 128 + cr};
  return {16 + 219.0 / 255 * y, 128 + 224.0 / 255 * cb, 128 + 224.0 / 255 * cr};
}

/// Compares `drawn` with `before` blended in double, pixel by pixel, with what `paint(x, y)` says; samples shared by
/// several pixels get the mean. Bytes that belong to no pixel, and pixels with alpha 0 throughout, must be the same.
template <class PaintAt>
void expect_painted(const Picture& before, const Picture& drawn, double tolerance, PaintAt paint) {
  std::vector<double> sum(before.bytes.size());
  std::vector<int> pixels(before.bytes.size());
  std::vector<bool> painted(before.bytes.size());
  for (int y = 0; y < before.view.height; ++y) {
    for (int x = 0; x < before.view.width; ++x) {
      const Rgba colour = paint(x, y);
      const auto target = convert(colour, before.view);
      for (int c = 0; c < before.channels(); ++c) {
        const std::size_t i = before.index(x, y, c);
        sum[i] += before.bytes[i] * (1 - colour.alpha) + target[static_cast<std::size_t>(c)] * colour.alpha;
        ++pixels[i];
        painted[i] = painted[i] || colour.alpha > 0;
      }
    }
  }
  double worst = 0;
  int touched_outside = 0;
  for (std::size_t i = 0; i < sum.size(); ++i) {
    if (painted[i]) worst = std::max(worst, std::abs(drawn.bytes[i] - sum[i] / pixels[i]));
    if (!painted[i] && drawn.bytes[i] != before.bytes[i]) ++touched_outside;
  }
  EXPECT_LE(worst, tolerance);
  EXPECT_EQ(touched_outside, 0);
}

}  // namespace padim
