#pragma once

#include <array>
#include <cstdint>

#include "padim/overlay.h"

namespace padim {

struct Rgb {
  std::uint8_t r = 0;
  std::uint8_t g = 0;
  std::uint8_t b = 0;
  friend bool operator==(const Rgb&, const Rgb&) = default;
};

/// The colours of `colormap`, from the lowest value to the highest.
[[nodiscard]] std::array<Rgb, 256> colormap_table(Colormap colormap);

}  // namespace padim
