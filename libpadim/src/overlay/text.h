#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "overlay/font.h"
#include "overlay/layer.h"
#include "overlay/segment.h"
#include "padim/geometry.h"

namespace padim {

/// Ink of text: kTextBacking (bare backing) to 255 (full stroke). Lines use the values below.
inline constexpr int kTextBacking = 128;

/// How ink of text looks: light on a dark translucent backing.
[[nodiscard]] Paint text_paint(int ink);

/// Printable ASCII in Hershey's simplex face at one size. Each character is rendered once, when it is first used, so a
/// caption that changes with every frame costs no more than copying its pixels.
class TextFace {
 public:
  /// capital_height: pixels, >= 5. Forgets the characters of another size.
  void set_capital_height(int capital_height);

  /// Size of `text` with its backing.
  [[nodiscard]] Size measure(std::string_view text);

  /// Writes one line with the top left corner of its backing at (x, y); clipped to the layer.
  void write(InkLayer& layer, std::string_view text, int x, int y);

 private:
  struct Glyph {
    int advance = 0;
    int width = 0;  ///< of the picture, which starts `margin` left of the pen
    std::vector<std::uint8_t> coverage;
  };

  [[nodiscard]] const Glyph& glyph(char c);
  void draw(const Segment& segment, Glyph& glyph) const;
  [[nodiscard]] int padding() const;
  [[nodiscard]] int margin() const;
  [[nodiscard]] int line_height() const;

  int capital_height_ = 0;
  std::array<Glyph, kLastCharacter - kFirstCharacter + 1> glyphs_;
};

}  // namespace padim
