#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "padim/geometry.h"
#include "padim/score_map.h"

namespace padim {

/// Brings patch distances to network-input size: bilinear upsampling and Gaussian smoothing (sigma 4 input pixels) as
/// one separable linear operator. Where places are ignored, each value is the same weighted mean over the positions
/// that count alone, and 0 in the ignored places. Owns scratch memory; one thread at a time.
class Upsampler {
 public:
  /// mask: [input.height, input.width], 0 where a pixel is ignored; empty: everything counts.
  Upsampler(Size positions, Size input, std::span<const std::uint8_t> mask = {});

  /// distances: [P]. Resizes `map` to the input size, fills it and returns its maximum, the raw image score; NaN where
  /// a distance is NaN.
  float run(std::span<const float> distances, ScoreMap& map);

 private:
  // Output sample o is the sum over i < count of weights[i] * input[first + i].
  struct Row {
    int first = 0;
    std::vector<float> weights;
  };
  using Axis = std::vector<Row>;

  static Axis make_axis(int positions, int length);
  void make_gain(std::span<const std::uint8_t> mask);
  float spread(std::span<const float> distances, ScoreMap& map);
  float apply_gain(ScoreMap& map) const;

  Size positions_;
  Size input_;
  Axis vertical_;            // per output row
  Axis horizontal_;          // per grid column: its contribution to the outputs, the transposed operator
  std::vector<float> line_;  // one output row before the horizontal pass
  // Of a mask; empty without one.
  std::vector<std::uint8_t> counts_;  // per position
  std::vector<float> counting_;       // distances, 0 where a position is ignored
  std::vector<float> gain_;           // per pixel of the map: 1 / (share of the weights on counting positions), or 0
};

}  // namespace padim
