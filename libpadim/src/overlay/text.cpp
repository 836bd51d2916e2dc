#include "overlay/text.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "overlay/font.h"
#include "overlay/segment.h"

namespace padim {
namespace {

/// Of a pen, in pixels, for capitals of this height.
double pen_width(int capital_height) { return std::max(1.5, capital_height / 6.0); }

/// Share of a pixel that a pen covers whose axis is so far from its centre, of 255.
std::uint8_t coverage_at(double distance, double width) {
  return static_cast<std::uint8_t>(std::lround(255 * std::clamp(width / 2 + 0.5 - distance, 0.0, 1.0)));
}

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

/// Calls `visit` with each character as far as the face has it: '?' stands for the others.
template <class Visit>
void for_each_character(std::string_view text, Visit visit) {
  for (const char c : text) {
    if (!is_continuation(c)) visit(c >= kFirstCharacter && c <= kLastCharacter ? c : '?');
  }
}

}  // namespace

Paint text_paint(int ink) {
  constexpr double kBacking = 0.62;
  constexpr double kDark = 18;
  constexpr double kLight = 245;
  const double stroke = static_cast<double>(ink - kTextBacking) / (255 - kTextBacking);
  const double weight = 1 - (1 - kBacking) * (1 - stroke);
  const double grey = (kDark * kBacking * (1 - stroke) + kLight * stroke) / weight;
  return {grey, grey, grey, weight};
}

int TextFace::padding() const { return (capital_height_ * 3 + 4) / 5; }

int TextFace::margin() const { return capital_height_ / 6 + 2; }

int TextFace::line_height() const { return capital_height_ + 2 * padding(); }

void TextFace::set_capital_height(int capital_height) {
  if (capital_height == capital_height_) return;
  capital_height_ = capital_height;
  glyphs_.fill({});
}

const TextFace::Glyph& TextFace::glyph(char c) {
  Glyph& glyph = glyphs_[static_cast<std::size_t>(c - kFirstCharacter)];
  if (glyph.width > 0) return glyph;
  const double scale = capital_height_ / kCapitalUnits;
  const CharacterOutline outline = outline_of(c);
  glyph.advance = static_cast<int>(std::lround((outline.right - outline.left) * scale));
  glyph.width = glyph.advance + 2 * margin();
  glyph.coverage.assign(static_cast<std::size_t>(glyph.width) * static_cast<std::size_t>(line_height()), 0);
  const auto place = [&](const Point& point) {
    return Point{margin() + (point.x - outline.left) * scale,
                 padding() + capital_height_ + (point.y - kBaseLine) * scale};
  };
  for (const std::vector<Point>& stroke : outline.strokes) {
    for (std::size_t i = 1; i < stroke.size(); ++i) draw(Segment(place(stroke[i - 1]), place(stroke[i])), glyph);
  }
  return glyph;
}

void TextFace::draw(const Segment& segment, Glyph& glyph) const {
  std::uint8_t* coverage = glyph.coverage.data();
  for (int y = 0; y < line_height(); ++y) {
    for (int x = 0; x < glyph.width; ++x, ++coverage) {
      const double distance = std::sqrt(segment.squared_distance(x, y));
      *coverage = std::max(*coverage, coverage_at(distance, pen_width(capital_height_)));
    }
  }
}

Size TextFace::measure(std::string_view text) {
  Size size{2 * padding(), line_height()};
  for_each_character(text, [&](char c) { size.width += glyph(c).advance; });
  return size;
}

void TextFace::write(InkLayer& layer, std::string_view text, int x, int y) {
  const Size size = measure(text);
  const int left = std::max(x, 0);
  const int right = std::min(x + size.width, layer.size().width);
  if (left >= right) return;
  for (int i = std::max(0, -y); i < std::min(size.height, layer.size().height - y); ++i) {
    std::uint8_t* ink = layer.touch(y + i, left, right);
    std::fill(ink + left, ink + right, static_cast<std::uint8_t>(kTextBacking));
    int pen = x + padding() - margin();
    for_each_character(text, [&](char c) {
      const Glyph& shape = glyph(c);
      const std::uint8_t* coverage = shape.coverage.data() + static_cast<std::ptrdiff_t>(i) * shape.width;
      const int begin = std::max(left - pen, 0);
      const int end = std::min(shape.width, right - pen);
      for (int k = begin; k < end; ++k) {
        const auto value = static_cast<std::uint8_t>(kTextBacking + coverage[k] / 2);
        ink[pen + k] = std::max(ink[pen + k], value);
      }
      pen += shape.advance;
    });
  }
}

}  // namespace padim
