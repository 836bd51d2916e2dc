#pragma once

#include <cstdint>
#include <vector>

#include "overlay/canvas.h"
#include "padim/geometry.h"
#include "padim/image_view.h"

namespace padim {

/// Ink for lines and text at frame size. What is drawn in one frame goes here first, so that every pixel and chroma
/// sample is blended once; tiles remember what was touched, so that the cost is proportional to the drawing.
class InkLayer {
 public:
  /// Empties the layer where the size changes; it is empty otherwise, as flush() leaves it so.
  void resize(Size size);

  [[nodiscard]] Size size() const { return size_; }

  /// Row y of the layer, for writing to the columns [x_begin, x_end); both must lie inside, and must not be empty.
  std::uint8_t* touch(int y, int x_begin, int x_end);

  /// Blends what was drawn on `frame`, which has the layer's size, and empties the layer.
  void flush(const MutableImageView& frame, const Palette& palette);

 private:
  static constexpr int kTileWidth = 32;  // pixels, even; a tile is two rows high, as chroma samples may be

  void flush_band(const MutableImageView& frame, const Palette& palette, int band, int tile_begin, int tile_end);

  Size size_;
  int tiles_across_ = 0;
  std::vector<std::uint8_t> ink_;      ///< [height, width]
  std::vector<std::uint8_t> touched_;  ///< [ceil(height / 2), tiles_across_]
};

}  // namespace padim
