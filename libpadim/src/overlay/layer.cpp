#include "overlay/layer.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace padim {

void InkLayer::resize(Size size) {
  if (size == size_) return;
  size_ = size;
  tiles_across_ = (size.width + kTileWidth - 1) / kTileWidth;
  ink_.assign(static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height), 0);
  touched_.assign(static_cast<std::size_t>(tiles_across_) * static_cast<std::size_t>((size.height + 1) / 2), 0);
}

std::uint8_t* InkLayer::touch(int y, int x_begin, int x_end) {
  std::uint8_t* tiles = touched_.data() + static_cast<std::ptrdiff_t>(y / 2) * tiles_across_;
  std::memset(tiles + x_begin / kTileWidth, 1,
              static_cast<std::size_t>((x_end - 1) / kTileWidth - x_begin / kTileWidth + 1));
  return ink_.data() + static_cast<std::ptrdiff_t>(y) * size_.width;
}

void InkLayer::flush(const MutableImageView& frame, const Palette& palette) {
  for (int band = 0; band < (size_.height + 1) / 2; ++band) {
    std::uint8_t* const begin = touched_.data() + static_cast<std::ptrdiff_t>(band) * tiles_across_;
    std::uint8_t* const end = begin + tiles_across_;
    for (std::uint8_t* tile = std::find(begin, end, 1); tile != end; tile = std::find(tile, end, 1)) {
      std::uint8_t* const last = std::find(tile, end, 0);
      flush_band(frame, palette, band, static_cast<int>(tile - begin), static_cast<int>(last - begin));
      std::fill(tile, last, std::uint8_t{0});
      tile = last;
    }
  }
}

void InkLayer::flush_band(const MutableImageView& frame, const Palette& palette, int band, int tile_begin,
                          int tile_end) {
  Band ink;
  ink.x_begin = tile_begin * kTileWidth;
  ink.x_end = std::min(tile_end * kTileWidth, size_.width);
  ink.y = 2 * band;
  ink.rows = std::min(2, size_.height - ink.y);
  std::uint8_t* const top = ink_.data() + static_cast<std::ptrdiff_t>(ink.y) * size_.width + ink.x_begin;
  ink.ink = {top, top + size_.width};
  blend(frame, ink, palette);
  for (int i = 0; i < ink.rows; ++i) std::fill_n(top + i * size_.width, ink.x_end - ink.x_begin, std::uint8_t{0});
}

}  // namespace padim
