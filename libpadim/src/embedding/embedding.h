#pragma once

#include <span>
#include <vector>

#include "padim/backbone.h"
#include "padim/geometry.h"
#include "padim/model.h"

namespace padim {

/// Puts the taps of a backbone on one grid and reduces their F channels to d dimensions: x [P, d], position by
/// position. Immutable.
class Embedding {
 public:
  /// d = channels.size() of the F channels. `taps`: all taps with all channels. `channels`: indices into the
  /// concatenated F tap channels, in embedding order. Throws invalid_argument for an index outside 0..F-1.
  Embedding(std::vector<TapInfo> taps, Grid grid, std::span<const int> channels);

  /// A linear projection x = R^T f. `projection`: R [F, dimensions], which is copied. Throws invalid_argument where it
  /// has another size.
  Embedding(std::vector<TapInfo> taps, Grid grid, std::span<const float> projection, int dimensions);

  [[nodiscard]] int dimensions() const { return dimensions_; }

  /// Patch positions for a network input of `input` pixels.
  [[nodiscard]] Size positions(Size input) const;

  /// Channels of the last tap that are used, ascending: what Backbone::with_last_tap_channels takes. Never empty (a
  /// network needs an output).
  [[nodiscard]] const std::vector<int>& last_tap_channels() const { return last_tap_channels_; }

  /// Embeds image `index` of the batch that a backbone with only last_tap_channels() produced. output: [P, d]. Throws
  /// mismatch where the taps do not have the channels and sizes expected.
  void run(const std::vector<TapMaps>& taps, int index, std::span<float> output) const;

 private:
  struct Pick {
    int channel;    // of the tap as computed
    int dimension;  // of the embedding
  };
  struct TapOnGrid;

  Embedding(std::vector<TapInfo> taps, Grid grid, int dimensions);

  [[nodiscard]] TapOnGrid on_grid(std::size_t tap, const TapMaps& maps, int index) const;
  static bool is_run(const std::vector<Pick>& picks);
  void pick(const TapOnGrid& tap, const std::vector<Pick>& picks, std::span<float> output) const;
  void project(const TapOnGrid& tap, const std::vector<float>& panels, std::span<float> output) const;

  std::vector<TapInfo> taps_;  // as computed: the last one with its used channels only
  int dimensions_;
  int cell_;                                // input pixels per patch position
  std::vector<std::vector<Pick>> picks_;    // per tap; empty lists for a projection
  std::vector<std::vector<float>> panels_;  // per tap: [ceil(d / 16), C, 16]; empty unless a projection
  std::vector<int> last_tap_channels_;
};

/// The embedding that a model describes. `projection`: its matrix [F, d]; empty where channels are picked.
[[nodiscard]] Embedding make_embedding(const ModelInfo& info, std::span<const float> projection);

}  // namespace padim
