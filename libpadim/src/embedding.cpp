// x(p) = concatenation over taps l of f_l brought to one grid, then channel selection (PaDiM, section 3.1). finest: a
// coarse cell is replicated to the positions inside it (the published implementation's nearest upsampling). coarsest:
// the fine cells inside a position are averaged. Selection commutes with both, so unused channels are never touched.

#include "embedding.h"

#include <algorithm>
#include <string>
#include <utility>

#include "padim/error.h"

namespace padim {
namespace {

struct Located {
  std::size_t tap;
  int channel;
};

Located locate(const std::vector<TapInfo>& taps, int index) {
  int rest = index;
  for (std::size_t t = 0; rest >= 0 && t < taps.size(); rest -= taps[t].channels, ++t) {
    if (rest < taps[t].channels) return {t, rest};
  }
  throw Error(ErrorCode::invalid_argument,
              "embedding channel " + std::to_string(index) + " does not exist in the backbone's taps");
}

}  // namespace

Embedding::Embedding(std::vector<TapInfo> taps, Grid grid, std::span<const int> channels)
    : taps_(std::move(taps)), dimensions_(static_cast<int>(channels.size())), picks_(taps_.size()) {
  if (channels.empty()) throw Error(ErrorCode::invalid_argument, "an embedding needs at least one channel");
  cell_ = grid == Grid::finest ? taps_.front().stride : taps_.back().stride;
  for (int i = 0; i < dimensions_; ++i) {
    const Located at = locate(taps_, channels[static_cast<std::size_t>(i)]);
    picks_[at.tap].push_back({at.channel, i});
  }
  for (const Pick& pick : picks_.back()) last_tap_channels_.push_back(pick.channel);
  if (last_tap_channels_.empty()) last_tap_channels_.push_back(0);
  std::sort(last_tap_channels_.begin(), last_tap_channels_.end());
  for (Pick& pick : picks_.back()) {
    const auto found = std::lower_bound(last_tap_channels_.begin(), last_tap_channels_.end(), pick.channel);
    pick.channel = static_cast<int>(found - last_tap_channels_.begin());
  }
  taps_.back().channels = static_cast<int>(last_tap_channels_.size());
}

Size Embedding::positions(Size input) const { return {input.width / cell_, input.height / cell_}; }

void Embedding::run(const std::vector<TapMaps>& taps, int index, std::span<float> output) const {
  bool fits = taps.size() == taps_.size();
  for (std::size_t t = 0; fits && t < taps.size(); ++t) fits = taps[t].channels == taps_[t].channels;
  if (!fits) throw Error(ErrorCode::mismatch, "the backbone's taps are not those that the embedding was made for");

  const TapMaps& first = taps.front();
  const int width = first.width * taps_.front().stride / cell_;
  const int height = first.height * taps_.front().stride / cell_;
  for (std::size_t t = 0; t < taps.size(); ++t) {
    const TapMaps& tap = taps[t];
    const int stride = taps_[t].stride;
    const int fine = std::max(cell_ / stride, 1);        // tap cells per position, on each axis
    const int replicated = std::max(stride / cell_, 1);  // positions per tap cell
    const float scale = 1.0F / static_cast<float>(fine * fine);
    const auto row = static_cast<std::size_t>(tap.width) * static_cast<std::size_t>(tap.channels);
    const float* image =
        tap.values.data() + static_cast<std::size_t>(index) * static_cast<std::size_t>(tap.height) * row;
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        const float* corner = image + static_cast<std::size_t>(y * fine / replicated) * row +
                              static_cast<std::size_t>(x * fine / replicated) * static_cast<std::size_t>(tap.channels);
        float* out = output.data() +
                     (static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)) *
                         static_cast<std::size_t>(dimensions_);
        for (const Pick& pick : picks_[t]) {
          float sum = 0;
          for (int dy = 0; dy < fine; ++dy) {
            const float* cell = corner + static_cast<std::size_t>(dy) * row + pick.channel;
            for (int dx = 0; dx < fine; ++dx) sum += cell[dx * tap.channels];
          }
          out[pick.dimension] = sum * scale;
        }
      }
    }
  }
}

}  // namespace padim
