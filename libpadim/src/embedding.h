#pragma once

#include <span>
#include <vector>

#include "padim/backbone.h"
#include "padim/geometry.h"
#include "padim/model.h"

namespace padim {

/// Puts the taps of a backbone on one grid and picks the embedding's channels: x [P, d], position by position.
/// Immutable. Linear projections commute with both grids; they belong where the channels are picked, at each tap's own
/// resolution.
class Embedding {
 public:
  /// `taps`: all taps with all channels. `channels`: indices into the concatenated F tap channels, in embedding order.
  /// Throws invalid_argument for an index outside 0..F-1.
  Embedding(std::vector<TapInfo> taps, Grid grid, std::span<const int> channels);

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

  std::vector<TapInfo> taps_;  // as computed: the last one with its used channels only
  int dimensions_;
  int cell_;                              // input pixels per patch position
  std::vector<std::vector<Pick>> picks_;  // per tap
  std::vector<int> last_tap_channels_;
};

}  // namespace padim
