#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "padim/geometry.h"

namespace padim {

/// Interleaved 8-bit samples: `channels` bytes per pixel, rows `stride` bytes apart.
struct Samples {
  const std::uint8_t* data = nullptr;
  std::ptrdiff_t stride = 0;
  int width = 0;
  int height = 0;
  int channels = 1;
};

enum class ResampleFilter { triangle, lanczos3 };

/// Pillow runs the horizontal pass first; on large frames the vertical one first is cheaper.
enum class ResampleOrder { horizontal_first, vertical_first };

/// One axis of an antialiased resize: output i is the sum of weights[i * taps + t] * input[first[i] + t], t < count[i],
/// in fixed point with 22 fractional bits.
struct ResampleAxis {
  int taps = 0;
  std::vector<int> first;
  std::vector<int> count;
  std::vector<std::int32_t> weights;
};

/// Weights for `input` samples, of which the part [begin, end) is resized to `output` samples; only the outputs
/// [skip, skip + length) are kept.
[[nodiscard]] ResampleAxis make_resample_axis(int input, double begin, double end, int output, int skip, int length,
                                              ResampleFilter filter);

/// Separable antialiased resize with 8-bit intermediates, equal to Pillow's Image.resize (8 bits per channel) in
/// horizontal_first order. Owns scratch memory; one thread at a time.
class Resampler {
 public:
  Resampler(ResampleAxis horizontal, ResampleAxis vertical, ResampleOrder order);

  /// output: [vertical outputs, horizontal outputs, channels], tight. `input` must have the sizes the axes were made
  /// for.
  void run(const Samples& input, std::uint8_t* output);

 private:
  ResampleAxis horizontal_;
  ResampleAxis vertical_;
  ResampleOrder order_;
  std::vector<std::uint8_t> scratch_;  // between the passes
  std::vector<std::uint8_t> columns_;  // inside the horizontal one
};

}  // namespace padim
