#include "overlay/heat.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "overlay/colormap.h"

// The raw scores are interpolated bilinearly between the map's samples, then shown on the fixed scale r / (r + T),
// whose part above the floor is cut into 255 steps of ink. A gap between four samples can only be hot where one of them
// is, so the frame is touched in the spans of such gaps alone; finding them costs one comparison per sample. Rows are
// done in pairs because 4:2:0 chroma belongs to two rows. Opacity rises along a smoothstep, so that the heat has no
// hard edge. Must match a float computation per pixel within 3 steps of 255 (steps of ink and of the colour table).

namespace padim {
namespace {

constexpr double kCeiling = 1000;  // times T: raw scores above are shown alike (0.999), infinity included

/// Never NaN, never infinite, so that the interpolation stays finite.
float sanitised(float raw, float ceiling) { return raw >= 0 ? std::min(raw, ceiling) : 0.0F; }

double smoothstep(double t) {
  t = std::clamp(t, 0.0, 1.0);
  return t * t * (3 - 2 * t);
}

/// A place of the colour table, 0..1, opaque.
Paint colour_at(const std::array<Rgb, 256>& table, double shown) {
  const double position = shown * 255;
  const auto low = static_cast<std::size_t>(std::clamp(position, 0.0, 254.0));
  const double f = position - static_cast<double>(low);
  const auto mix = [&](std::uint8_t a, std::uint8_t b) { return a + (b - a) * f; };
  const Rgb& a = table[low];
  const Rgb& b = table[low + 1];
  return {mix(a.r, b.r), mix(a.g, b.g), mix(a.b, b.b), 1};
}

double heat_weight(double shown, const OverlayOptions& options) {
  const double rise = std::min(kHeatRise, 1 - options.floor);
  return options.opacity * smoothstep((shown - options.floor) / rise);
}

bool any_above(const float* values, std::size_t count, float limit) {
  int found = 0;  // no early exit: this way the loop runs on vectors
  for (std::size_t i = 0; i < count; ++i) found |= values[i] > limit ? 1 : 0;
  return found != 0;
}

const float* map_row(const ScoreMap& map, int y) {
  return map.values.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(map.width);
}

/// Ink of each raw value: its shown score's place between floor and 1.
void to_ink(const float* values, int count, float calibrated, float floor, std::uint8_t* ink) {
  const float steps = 255 / (1 - floor);
  for (int i = 0; i < count; ++i) {
    const float shown = values[i] / (values[i] + calibrated);
    const float step = (shown - floor) * steps + 0.5F;
    ink[i] = static_cast<std::uint8_t>(static_cast<int>(step > 0 ? step : 0.0F));
  }
}

}  // namespace

Palette heat_palette(const OverlayOptions& options, const ColourSpace& space) {
  Palette palette;
  const std::array<Rgb, 256> table = colormap_table(options.colormap);
  for (std::size_t ink = 1; ink < palette.size() && options.floor < 1; ++ink) {
    const double shown = options.floor + (1 - options.floor) * static_cast<double>(ink) / 255;
    Paint paint = colour_at(table, shown);
    paint.weight = heat_weight(shown, options);
    palette[ink] = to_entry(paint, space);
  }
  return palette;
}

// Without colours the lightness has to rise with the score.
Palette map_palette(Colormap colormap, const ColourSpace& space) {
  Palette palette;
  const std::array<Rgb, 256> table = colormap_table(colormap);
  for (std::size_t ink = 1; ink < palette.size(); ++ink) {
    const double shown = std::clamp(kMapFloor + (1 - kMapFloor) * static_cast<double>(ink) / 255, 0.0, 1.0);
    const double grey = 255 * shown;
    const bool colourless = space.format == PixelFormat::gray8;
    palette[ink] = to_entry(colourless ? Paint{grey, grey, grey, 1} : colour_at(table, shown), space);
  }
  return palette;
}

void HeatMap::Axis::build(double new_offset, double new_scale, int new_samples, int new_pixels) {
  if (offset == new_offset && scale == new_scale && samples == new_samples && pixels == new_pixels) return;
  offset = new_offset;
  scale = new_scale;
  samples = new_samples;
  pixels = new_pixels;
  begin = end = 0;
  gap.assign(static_cast<std::size_t>(pixels), 0);
  fraction.assign(static_cast<std::size_t>(pixels), 0);
  first_pixel.assign(static_cast<std::size_t>(samples) + 2, pixels);
  for (int p = pixels - 1; p >= 0; --p) {
    const double position = (p + 0.5 - offset) / scale;
    if (!(scale > 0 && position >= 0 && position < samples)) continue;
    if (end == 0) {
      end = p + 1;
      std::fill(first_pixel.begin(), first_pixel.end(), end);
    }
    begin = p;
    const double lower = std::floor(position + 0.5);
    gap[static_cast<std::size_t>(p)] = static_cast<int>(lower);
    fraction[static_cast<std::size_t>(p)] = static_cast<float>(position + 0.5 - lower);
  }
  // Descending, so that the lowest pixel of each gap wins; a gap without pixels starts where the next one does.
  for (int g = samples, p = end; g >= 0; --g) {
    while (p > begin && gap[static_cast<std::size_t>(p - 1)] >= g) --p;
    first_pixel[static_cast<std::size_t>(g)] = p;
  }
}

bool HeatMap::find_hot_rows(const ScoreMap& map, float raw_floor) {
  hot_rows_.resize(static_cast<std::size_t>(map.height));
  bool found = false;
  for (int y = 0; y < map.height; ++y) {
    const bool hot = any_above(map_row(map, y), static_cast<std::size_t>(map.width), raw_floor);
    hot_rows_[static_cast<std::size_t>(y)] = hot ? 1 : 0;
    found |= hot;
  }
  return found;
}

/// Fills spans_ with the gaps that touch a sample above the floor in the rows [first_row, last_row] of the map.
void HeatMap::find_spans(const ScoreMap& map, int first_row, int last_row, float raw_floor) {
  spans_.clear();
  hot_columns_.assign(static_cast<std::size_t>(map.width), 0);
  bool found = false;
  for (int y = first_row; y <= last_row; ++y) {
    if (hot_rows_[static_cast<std::size_t>(y)] == 0) continue;
    found = true;
    const float* row = map_row(map, y);
    for (std::size_t x = 0; x < hot_columns_.size(); ++x) hot_columns_[x] |= row[x] > raw_floor ? 1 : 0;
  }
  if (!found) return;
  for (int x = 0; x < map.width; ++x) {
    if (hot_columns_[static_cast<std::size_t>(x)] == 0) continue;
    const int begin = x;
    while (x < map.width && hot_columns_[static_cast<std::size_t>(x)] != 0) ++x;
    add_span(begin, x + 1);
  }
}

/// Spans whose chroma samples touch are merged: each sample must be blended once, with all its pixels.
void HeatMap::add_span(int gap_begin, int gap_end) {
  const int pixel_begin = x_.first_pixel[static_cast<std::size_t>(gap_begin)];
  const int pixel_end = x_.first_pixel[static_cast<std::size_t>(gap_end)];
  if (pixel_begin >= pixel_end) return;
  if (!spans_.empty() && pixel_begin / 2 * 2 <= spans_.back().pixel_end) {
    spans_.back().gap_end = gap_end;
    spans_.back().pixel_end = pixel_end;
  } else {
    spans_.push_back({gap_begin, gap_end, pixel_begin, pixel_end});
  }
}

/// ink[0] is for pixel_begin of the span.
void HeatMap::fill_ink(const ScoreMap& map, const Span& span, int y, std::uint8_t* ink) {
  const float ceiling = calibrated_ * static_cast<float>(kCeiling);
  const int gap_y = y_.gap[static_cast<std::size_t>(y)];
  const float f = y_.fraction[static_cast<std::size_t>(y)];
  const float* above = map_row(map, std::max(gap_y - 1, 0));
  const float* below = map_row(map, std::min(gap_y, map.height - 1));
  const int first = std::max(span.gap_begin - 1, 0);
  const int last = std::min(span.gap_end, map.width) - 1;
  float* inner = samples_.data() + 1;
  for (int x = first; x <= last; ++x) {
    const float a = sanitised(above[x], ceiling);
    inner[x] = a + (sanitised(below[x], ceiling) - a) * f;
  }
  samples_.front() = inner[0];
  if (last == map.width - 1) samples_.back() = inner[last];

  const int* gap = x_.gap.data() + span.pixel_begin;
  const float* fraction = x_.fraction.data() + span.pixel_begin;
  const int count = span.pixel_end - span.pixel_begin;
  for (int i = 0; i < count; ++i) {
    const float* pair = samples_.data() + gap[i];
    values_[static_cast<std::size_t>(i)] = pair[0] + (pair[1] - pair[0]) * fraction[i];
  }
  to_ink(values_.data(), count, calibrated_, floor_, ink);
}

void HeatMap::draw_band(const MutableImageView& frame, const ScoreMap& map, int y, const Palette& palette) {
  for (const Span& span : spans_) {
    Band band;
    band.x_begin = span.pixel_begin / 2 * 2;
    band.x_end = std::min((span.pixel_end + 1) / 2 * 2, frame.width);
    band.y = y;
    band.rows = std::min(2, frame.height - y);
    for (int i = 0; i < band.rows; ++i) {
      std::uint8_t* ink = ink_[i].data();
      band.ink[static_cast<std::size_t>(i)] = ink;
      if (y + i < y_.begin || y + i >= y_.end) {
        std::fill_n(ink, band.x_end - band.x_begin, std::uint8_t{0});
        continue;
      }
      ink[0] = 0;
      ink[band.x_end - band.x_begin - 1] = 0;
      fill_ink(map, span, y + i, ink + (span.pixel_begin - band.x_begin));
    }
    blend(frame, band, palette);
  }
}

void HeatMap::clear(const MutableImageView& frame, const ColourSpace& space) {
  Palette black;
  black[1] = to_entry({0, 0, 0, 1}, space);
  ink_[0].assign(static_cast<std::size_t>(frame.width), 1);
  Band band{0, frame.width, 0, 2, {ink_[0].data(), ink_[0].data()}};
  for (; band.y < frame.height; band.y += 2) {
    band.rows = std::min(2, frame.height - band.y);
    blend(frame, band, black);
  }
}

void HeatMap::draw(const MutableImageView& frame, const ScoreMap& map, const FrameMapping& mapping, double calibrated,
                   double floor, const Palette& palette) {
  const auto raw_floor = static_cast<float>(raw_score(floor, calibrated));
  if (!find_hot_rows(map, raw_floor)) return;
  x_.build(mapping.offset_x, mapping.scale_x, map.width, frame.width);
  y_.build(mapping.offset_y, mapping.scale_y, map.height, frame.height);
  calibrated_ = static_cast<float>(calibrated);
  floor_ = static_cast<float>(floor);
  samples_.resize(static_cast<std::size_t>(map.width) + 2);
  values_.resize(static_cast<std::size_t>(frame.width));
  for (auto& ink : ink_) ink.resize(static_cast<std::size_t>(frame.width));

  int known_first = -1;
  int known_last = -1;
  for (int y = y_.begin / 2 * 2; y < y_.end; y += 2) {
    const int top = y_.gap[static_cast<std::size_t>(std::max(y, y_.begin))];
    const int bottom = y_.gap[static_cast<std::size_t>(std::min(y + 1, y_.end - 1))];
    const int first_row = std::max(top - 1, 0);
    const int last_row = std::min(bottom, map.height - 1);
    if (first_row != known_first || last_row != known_last) find_spans(map, first_row, last_row, raw_floor);
    known_first = first_row;
    known_last = last_row;
    draw_band(frame, map, y, palette);
  }
}

}  // namespace padim
