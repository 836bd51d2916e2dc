// x(p) = R^T of the concatenation over taps l of f_l brought to one grid (PaDiM, section 3.1). finest: a coarse cell is
// replicated to the positions inside it (the published implementation's nearest upsampling). coarsest: the fine cells
// inside a position are averaged. R picks channels or projects. Picking commutes with both, so unused channels are
// never touched. A projection is the sum over taps of R_l^T f_l, and R_l commutes with both as well: it is applied
// where there are fewer cells, before replication and after averaging.

#include "embedding/embedding.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>

#include "embedding/projection_kernel.h"
#include "padim/error.h"

namespace padim {
namespace {

constexpr int kBlockDepth = 256;  // channels that are projected together: a block of rows is 8 KiB

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

// Rows [C, d] of a projection as panels of 16 columns, zeros behind the last one.
std::vector<float> pack(std::span<const float> rows, int channels, int d) {
  const auto c = static_cast<std::size_t>(channels);
  const auto columns = static_cast<std::size_t>(d);
  std::vector<float> panels((columns + kPanelColumns - 1) / kPanelColumns * c * kPanelColumns);
  for (std::size_t k = 0; k < c; ++k) {
    for (std::size_t j = 0; j < columns; ++j) {
      panels[(j / kPanelColumns * c + k) * kPanelColumns + j % kPanelColumns] = rows[k * columns + j];
    }
  }
  return panels;
}

}  // namespace

// One tap of one image, and how its cells lie on the grid.
struct Embedding::TapOnGrid {
  const float* cells;  // [height, width, channels]
  int width;
  int height;
  int channels;
  int fine;        // cells per position on each axis, averaged
  int replicated;  // positions per cell on each axis

  // Mean of `count` channels from `first` on over the fine x fine cells from (x * fine, y * fine) on.
  void average(int x, int y, int first, int count, float* mean) const {
    const auto row = static_cast<std::size_t>(width) * static_cast<std::size_t>(channels);
    const float* corner = cells + static_cast<std::size_t>(y * fine) * row +
                          static_cast<std::size_t>(x * fine) * static_cast<std::size_t>(channels) + first;
    std::copy_n(corner, count, mean);
    if (fine == 1) return;
    for (int i = 1; i < fine * fine; ++i) {
      const float* cell = corner + static_cast<std::size_t>(i / fine) * row + i % fine * channels;
      for (int c = 0; c < count; ++c) mean[c] += cell[c];
    }
    const float scale = 1.0F / static_cast<float>(fine * fine);
    for (int c = 0; c < count; ++c) mean[c] *= scale;
  }
};

Embedding::Embedding(std::vector<TapInfo> taps, Grid grid, int dimensions)
    : taps_(std::move(taps)),
      dimensions_(dimensions),
      cell_(grid == Grid::finest ? taps_.front().stride : taps_.back().stride),
      picks_(taps_.size()) {
  if (dimensions < 1) throw Error(ErrorCode::invalid_argument, "an embedding needs at least one dimension");
}

Embedding::Embedding(std::vector<TapInfo> taps, Grid grid, std::span<const int> channels)
    : Embedding(std::move(taps), grid, static_cast<int>(channels.size())) {
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

Embedding::Embedding(std::vector<TapInfo> taps, Grid grid, std::span<const float> projection, int dimensions)
    : Embedding(std::move(taps), grid, dimensions) {
  const auto d = static_cast<std::size_t>(dimensions);
  std::size_t rows = 0;
  for (const TapInfo& tap : taps_) rows += static_cast<std::size_t>(tap.channels);
  if (projection.size() != rows * d) {
    throw Error(ErrorCode::invalid_argument, "a projection of " + std::to_string(projection.size()) +
                                                 " numbers does not turn " + std::to_string(rows) + " channels into " +
                                                 std::to_string(dimensions) + " dimensions");
  }
  for (const TapInfo& tap : taps_) {
    panels_.push_back(pack(projection, tap.channels, dimensions));
    projection = projection.subspan(static_cast<std::size_t>(tap.channels) * d);
  }
  last_tap_channels_.resize(static_cast<std::size_t>(taps_.back().channels));
  std::iota(last_tap_channels_.begin(), last_tap_channels_.end(), 0);
}

Size Embedding::positions(Size input) const { return {input.width / cell_, input.height / cell_}; }

Embedding::TapOnGrid Embedding::on_grid(std::size_t tap, const TapMaps& maps, int index) const {
  const int stride = taps_[tap].stride;
  const auto image = static_cast<std::size_t>(maps.height) * static_cast<std::size_t>(maps.width) *
                     static_cast<std::size_t>(maps.channels);
  return {maps.values.data() + static_cast<std::size_t>(index) * image,
          maps.width,
          maps.height,
          maps.channels,
          std::max(cell_ / stride, 1),
          std::max(stride / cell_, 1)};
}

void Embedding::run(const std::vector<TapMaps>& taps, int index, std::span<float> output) const {
  bool fits = taps.size() == taps_.size();
  for (std::size_t t = 0; fits && t < taps.size(); ++t) fits = taps[t].channels == taps_[t].channels;
  if (!fits) throw Error(ErrorCode::mismatch, "the backbone's taps are not those that the embedding was made for");
  if (!panels_.empty()) std::fill(output.begin(), output.end(), 0.0F);
  for (std::size_t t = 0; t < taps.size(); ++t) {
    if (panels_.empty()) {
      pick(on_grid(t, taps[t], index), picks_[t], output);
    } else {
      project(on_grid(t, taps[t], index), panels_[t], output);
    }
  }
}

// Neighbouring channels for neighbouring dimensions, as where all channels are kept.
bool Embedding::is_run(const std::vector<Pick>& picks) {
  const auto breaks = [](const Pick& a, const Pick& b) {
    return b.channel != a.channel + 1 || b.dimension != a.dimension + 1;
  };
  return !picks.empty() && std::adjacent_find(picks.begin(), picks.end(), breaks) == picks.end();
}

void Embedding::pick(const TapOnGrid& tap, const std::vector<Pick>& picks, std::span<float> output) const {
  const int width = tap.width * tap.replicated / tap.fine;
  const int height = tap.height * tap.replicated / tap.fine;
  const float scale = 1.0F / static_cast<float>(tap.fine * tap.fine);
  const auto row = static_cast<std::size_t>(tap.width) * static_cast<std::size_t>(tap.channels);
  float* out = output.data();
  if (is_run(picks)) {
    for (int i = 0; i < width * height; ++i, out += dimensions_) {
      tap.average(i % width / tap.replicated, i / width / tap.replicated, picks.front().channel,
                  static_cast<int>(picks.size()), out + picks.front().dimension);
    }
    return;
  }
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x, out += dimensions_) {
      const float* corner =
          tap.cells + static_cast<std::size_t>(y * tap.fine / tap.replicated) * row +
          static_cast<std::size_t>(x * tap.fine / tap.replicated) * static_cast<std::size_t>(tap.channels);
      for (const Pick& pick : picks) {
        float sum = 0;
        for (int dy = 0; dy < tap.fine; ++dy) {
          const float* cell = corner + static_cast<std::size_t>(dy) * row + pick.channel;
          for (int dx = 0; dx < tap.fine; ++dx) sum += cell[dx * tap.channels];
        }
        out[pick.dimension] = sum * scale;
      }
    }
  }
}

void Embedding::project(const TapOnGrid& tap, const std::vector<float>& panels, std::span<float> output) const {
  const int width = tap.width / tap.fine;  // of the coarser of tap and grid
  const int cells = width * (tap.height / tap.fine);
  const auto d = static_cast<std::size_t>(dimensions_);
  const auto panel_columns = static_cast<std::size_t>(kPanelColumns);
  const std::size_t row_stride = static_cast<std::size_t>(width * tap.replicated) * d;
  float rows[kProjectedRows * kBlockDepth];
  float* outputs[kProjectedRows];
  for (int first = 0; first < cells; first += kProjectedRows) {
    const int count = std::min(kProjectedRows, cells - first);
    for (int i = 0; i < count; ++i) {
      const auto x = static_cast<std::size_t>((first + i) % width * tap.replicated);
      const auto y = static_cast<std::size_t>((first + i) / width * tap.replicated);
      outputs[i] = output.data() + y * row_stride + x * d;
    }
    for (int channel = 0; channel < tap.channels; channel += kBlockDepth) {
      const int depth = std::min(kBlockDepth, tap.channels - channel);
      for (int i = 0; i < count; ++i) {
        tap.average((first + i) % width, (first + i) / width, channel, depth, rows + i * depth);
      }
      add_projected({rows, count, depth, panels.data() + static_cast<std::size_t>(channel) * panel_columns,
                     static_cast<std::size_t>(tap.channels) * panel_columns, dimensions_, outputs, tap.replicated,
                     row_stride});
    }
  }
}

Embedding make_embedding(const ModelInfo& info, std::span<const float> projection) {
  return is_projection(info.reduction.kind) ? Embedding(info.taps, info.grid, projection, info.dimensions)
                                            : Embedding(info.taps, info.grid, info.reduction.channels);
}

}  // namespace padim
