#include "overlay/text.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <string>

#include "padim/error.h"

namespace padim {
namespace {

constexpr int kFace = cv::FONT_HERSHEY_SIMPLEX;
constexpr double kUnitsPerCapital = 21;  // Hershey units from base line to the top of a capital

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

/// Calls `visit` with each character as far as the face has it: '?' stands for the others.
template <class Visit>
void for_each_character(std::string_view text, Visit visit) {
  for (const char c : text) {
    if (!is_continuation(c)) visit(c >= ' ' && c <= '~' ? c : '?');
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
  Glyph& glyph = glyphs_[static_cast<std::size_t>(c - kFirst)];
  if (glyph.width > 0) return glyph;
  try {
    const double scale = capital_height_ / kUnitsPerCapital;
    const int thickness = std::max(1, static_cast<int>(std::lround(capital_height_ / 9.0)));
    const std::string text(1, c);
    int below = 0;
    glyph.advance = cv::getTextSize(text, kFace, scale, 0, &below).width;
    glyph.width = glyph.advance + 2 * margin();
    glyph.coverage.assign(static_cast<std::size_t>(glyph.width) * static_cast<std::size_t>(line_height()), 0);
    cv::Mat picture(line_height(), glyph.width, CV_8UC1, glyph.coverage.data());
    cv::putText(picture, text, {margin(), padding() + capital_height_}, kFace, scale, 255, thickness, cv::LINE_AA);
  } catch (const cv::Exception& e) {
    glyph = {};
    throw Error(ErrorCode::internal, std::string("OpenCV cannot draw text: ") + e.what());
  }
  return glyph;
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
