#include "overlay/canvas.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "image/luma_weights.h"

// Blending works on the frame's own bytes: as the conversion between R'G'B' and Y'CbCr is affine, a blend of converted
// colours is the converted blend, so palettes are converted once and pixels never. Y'CbCr follows ITU-R BT.601, BT.709
// and BT.2020 (non-constant luminance) in 8 bits: limited range has Y 16..235, chroma 16..240. Must match a float
// computation per pixel within 1.5 steps of 255.

namespace padim {
namespace {

double luma(const Paint& paint, const LumaWeights& k) {
  return k.r * paint.r + (1 - k.r - k.b) * paint.g + k.b * paint.b;
}

std::array<double, 3> to_yuv(const Paint& paint, const ColourSpace& space) {
  const LumaWeights k = luma_weights(space.matrix);
  const double y = luma(paint, k);
  const double u = (paint.b - y) / (2 * (1 - k.b));
  const double v = (paint.r - y) / (2 * (1 - k.r));
  if (space.range == YuvRange::full) return {y, 128 + u, 128 + v};
  return {16 + y * 219 / 255, 128 + u * 224 / 255, 128 + v * 224 / 255};
}

std::array<double, 3> to_channels(const Paint& paint, const ColourSpace& space) {
  if (space.format == PixelFormat::gray8) return {luma(paint, luma_weights(YuvMatrix::bt601)), 0, 0};
  if (is_yuv(space.format)) return to_yuv(paint, space);
  return {paint.r, paint.g, paint.b};
}

std::uint8_t blended(unsigned pixel, unsigned weight, unsigned value) {
  return static_cast<std::uint8_t>((pixel * (256 - weight) + value + 128) >> 8);
}

/// Rows of luma, or gray: one byte every kStep.
template <int kStep>
void blend_luma(std::uint8_t* pixel, const std::uint8_t* ink, int count, const Palette& palette) {
  for (int i = 0; i < count; ++i, pixel += kStep) {
    const PaletteEntry& entry = palette[ink[i]];
    *pixel = blended(*pixel, entry.weight, entry.value[0]);
  }
}

/// Rows of packed R, G, B (kRed = 0) or B, G, R (kRed = 2), one pixel every kStep bytes.
template <int kStep, int kRed>
void blend_rgb(std::uint8_t* pixel, const std::uint8_t* ink, int count, const Palette& palette) {
  for (int i = 0; i < count; ++i, pixel += kStep) {
    const PaletteEntry& entry = palette[ink[i]];
    pixel[kRed] = blended(pixel[kRed], entry.weight, entry.value[0]);
    pixel[1] = blended(pixel[1], entry.weight, entry.value[1]);
    pixel[2 - kRed] = blended(pixel[2 - kRed], entry.weight, entry.value[2]);
  }
}

/// A row of chroma samples, kStep bytes apart, each shared by two pixels of each of two rows. A missing row is given
/// as the other one again and a missing last column counts the one before it twice: the mean stays the mean.
template <int kStep>
void blend_chroma(std::uint8_t* u, std::uint8_t* v, const std::uint8_t* top, const std::uint8_t* bottom, int count,
                  const Palette& palette) {
  for (int i = 0; i < count; i += 2, u += kStep, v += kStep) {
    const int next = std::min(i + 1, count - 1);
    const PaletteEntry& a = palette[top[i]];
    const PaletteEntry& b = palette[top[next]];
    const PaletteEntry& c = palette[bottom[i]];
    const PaletteEntry& d = palette[bottom[next]];
    const unsigned keep = 1024U - a.weight - b.weight - c.weight - d.weight;
    const unsigned sum_u = 0U + a.value[1] + b.value[1] + c.value[1] + d.value[1];
    const unsigned sum_v = 0U + a.value[2] + b.value[2] + c.value[2] + d.value[2];
    *u = static_cast<std::uint8_t>((*u * keep + sum_u + 512) >> 10);
    *v = static_cast<std::uint8_t>((*v * keep + sum_v + 512) >> 10);
  }
}

std::uint8_t* row(const MutableImageView& frame, std::size_t plane, int y) {
  return frame.data[plane] + y * frame.stride[plane];
}

using RowBlender = void (*)(std::uint8_t*, const std::uint8_t*, int, const Palette&);

void blend_rows(const MutableImageView& frame, const Band& band, const Palette& palette, RowBlender blender,
                std::ptrdiff_t first_byte) {
  for (int i = 0; i < band.rows; ++i) {
    blender(row(frame, 0, band.y + i) + first_byte, band.ink[static_cast<std::size_t>(i)], band.x_end - band.x_begin,
            palette);
  }
}

/// nv12 and i420: kStep is 2 where U and V alternate in one plane.
template <int kStep>
void blend_420(const MutableImageView& frame, const Band& band, const Palette& palette) {
  blend_rows(frame, band, palette, blend_luma<1>, band.x_begin);
  const std::ptrdiff_t first = band.x_begin / 2 * kStep;
  std::uint8_t* u = row(frame, 1, band.y / 2) + first;
  std::uint8_t* v = kStep == 2 ? u + 1 : row(frame, 2, band.y / 2) + first;
  const std::uint8_t* bottom = band.rows == 2 ? band.ink[1] : band.ink[0];
  blend_chroma<kStep>(u, v, band.ink[0], bottom, band.x_end - band.x_begin, palette);
}

/// yuy2 (luma at byte 0 of each pair) and uyvy (at byte 1).
template <int kLuma>
void blend_422(const MutableImageView& frame, const Band& band, const Palette& palette) {
  const std::ptrdiff_t first = std::ptrdiff_t{2} * band.x_begin;
  blend_rows(frame, band, palette, blend_luma<2>, first + kLuma);
  for (int i = 0; i < band.rows; ++i) {
    std::uint8_t* u = row(frame, 0, band.y + i) + first + (1 - kLuma);
    const std::uint8_t* ink = band.ink[static_cast<std::size_t>(i)];
    blend_chroma<4>(u, u + 2, ink, ink, band.x_end - band.x_begin, palette);
  }
}

}  // namespace

PaletteEntry to_entry(const Paint& paint, const ColourSpace& space) {
  PaletteEntry entry;
  const long weight = std::clamp(std::lround(paint.weight * 256), 0L, 256L);
  entry.weight = static_cast<std::uint16_t>(weight);
  const std::array<double, 3> channels = to_channels(paint, space);
  for (std::size_t c = 0; c < channels.size(); ++c) {
    const double value = std::clamp(channels[c], 0.0, 255.0) * static_cast<double>(weight);
    entry.value[c] = static_cast<std::uint16_t>(std::lround(value));
  }
  return entry;
}

void blend(const MutableImageView& frame, const Band& band, const Palette& palette) noexcept {
  const std::ptrdiff_t x = band.x_begin;
  switch (frame.format) {
    case PixelFormat::gray8:
      return blend_rows(frame, band, palette, blend_luma<1>, x);
    case PixelFormat::rgb:
      return blend_rows(frame, band, palette, blend_rgb<3, 0>, 3 * x);
    case PixelFormat::bgr:
      return blend_rows(frame, band, palette, blend_rgb<3, 2>, 3 * x);
    case PixelFormat::rgbx:
      return blend_rows(frame, band, palette, blend_rgb<4, 0>, 4 * x);
    case PixelFormat::bgrx:
      return blend_rows(frame, band, palette, blend_rgb<4, 2>, 4 * x);
    case PixelFormat::nv12:
      return blend_420<2>(frame, band, palette);
    case PixelFormat::i420:
      return blend_420<1>(frame, band, palette);
    case PixelFormat::yuy2:
      return blend_422<0>(frame, band, palette);
    case PixelFormat::uyvy:
      return blend_422<1>(frame, band, palette);
  }
}

}  // namespace padim
