#pragma once

#include "padim/image_view.h"

namespace padim {

/// Shares of red and blue in luma (ITU-R BT.601, BT.709, BT.2020 with non-constant luminance); green has the rest.
struct LumaWeights {
  double r;
  double b;
};

[[nodiscard]] constexpr LumaWeights luma_weights(YuvMatrix matrix) noexcept {
  switch (matrix) {
    case YuvMatrix::bt709:
      return {0.2126, 0.0722};
    case YuvMatrix::bt2020:
      return {0.2627, 0.0593};
    case YuvMatrix::bt601:
      break;
  }
  return {0.299, 0.114};
}

}  // namespace padim
