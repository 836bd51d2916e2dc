#pragma once

#include <span>
#include <vector>

#include "padim/geometry.h"
#include "padim/score_map.h"

namespace padim {

/// Brings patch distances to network-input size: bilinear upsampling and Gaussian smoothing (sigma 4 input pixels) as
/// one separable linear operator. Owns scratch memory; one thread at a time.
class ScoreMapper {
 public:
  ScoreMapper(Size positions, Size input);

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

  Size positions_;
  Size input_;
  Axis vertical_;            // per output row
  Axis horizontal_;          // per grid column: its contribution to the outputs, the transposed operator
  std::vector<float> line_;  // one output row before the horizontal pass
};

}  // namespace padim
