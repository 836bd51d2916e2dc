#pragma once

#include <algorithm>

#include "backbone/description.h"

namespace padim {

/// Samples before and behind an axis that a layer needs beside those that there are: zeros, for a pool minus infinity.
struct PaddedAxis {
  int before = 0;
  int behind = 0;
};

/// The padding of an axis of `length` samples.
[[nodiscard]] inline PaddedAxis padding_of(const LayerDescription& layer, Padding padding, int length) {
  if (padding == Padding::symmetric) return {(layer.kernel - 1) / 2, (layer.kernel - 1) / 2};
  // TensorFlow's SAME: the output has ceil(n / stride) samples; an odd total has its larger half at the end.
  const int outputs = (length + layer.stride - 1) / layer.stride;
  const int total = std::max((outputs - 1) * layer.stride + layer.kernel - length, 0);
  return {total / 2, total - total / 2};
}

/// Samples that `layer` makes of an axis of `length` samples.
[[nodiscard]] inline int output_length(const LayerDescription& layer, Padding padding, int length) {
  const auto [before, behind] = padding_of(layer, padding, length);
  return (before + length + behind - layer.kernel) / layer.stride + 1;
}

}  // namespace padim
