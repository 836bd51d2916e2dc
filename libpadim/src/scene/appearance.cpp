// Integer sums over 8-bit luma (ITU-R BT.601 in 1/256), exact for inputs of up to 4096 x 4096: equal pictures have
// equal figures on every machine. Squares fit into 16 bits and a row's sums into 32 (4096 x 255^2 < 2^32), so that the
// loops vectorise well. Pixels that do not count are masked to 0; a step counts where both of its ends do. Checked
// against plain loops in double precision.

#include "scene/appearance.h"

#include <algorithm>
#include <cmath>

namespace padim {
namespace {

constexpr std::uint8_t kCounts = 255;

void to_luma(std::span<const std::uint8_t> rgb, std::span<std::uint8_t> luma) noexcept {
  const std::uint8_t* from = rgb.data();
  for (std::uint8_t& value : luma) {
    value = static_cast<std::uint8_t>((77 * from[0] + 150 * from[1] + 29 * from[2] + 128) >> 8);
    from += 3;
  }
}

struct Sums {
  std::uint64_t luma = 0;
  std::uint64_t luma_squares = 0;
  std::uint64_t step_squares = 0;
};

void add_row(const std::uint8_t* luma, const std::uint8_t* counts, std::size_t width, Sums& sums) noexcept {
  std::uint32_t sum = 0;
  std::uint32_t squares = 0;
  for (std::size_t x = 0; x < width; ++x) {
    const auto value = static_cast<std::uint16_t>(luma[x] & counts[x]);
    sum += value;
    squares += static_cast<std::uint16_t>(unsigned{value} * value);
  }
  sums.luma += sum;
  sums.luma_squares += squares;
}

// From `length` pixels to those `offset` further on.
void add_steps(const std::uint8_t* luma, const std::uint8_t* counts, std::size_t length, std::size_t offset,
               Sums& sums) noexcept {
  std::uint32_t squares = 0;
  for (std::size_t x = 0; x < length; ++x) {
    const int both = counts[x] & counts[x + offset];
    const auto step = static_cast<std::uint16_t>((luma[x] & both) - (luma[x + offset] & both));  // modulo 2^16
    squares += static_cast<std::uint16_t>(unsigned{step} * step);
  }
  sums.step_squares += squares;
}

// Calls use(from, length, offset) for each run of steps: along the rows, and down to the next row.
template <class Use>
void each_run_of_steps(Size input, const Use& use) {
  const auto width = static_cast<std::size_t>(input.width);
  const auto height = static_cast<std::size_t>(input.height);
  for (std::size_t y = 0; y < height; ++y) {
    use(y * width, width - 1, std::size_t{1});
    if (y + 1 < height) use(y * width, width, width);
  }
}

double share(std::uint64_t sum, std::uint64_t count) {
  return count == 0 ? 0 : static_cast<double>(sum) / static_cast<double>(count);
}

void widen(AppearanceRange& range, const Appearance& least, const Appearance& most) {
  range.least = {std::min(range.least.luma, least.luma), std::min(range.least.contrast, least.contrast),
                 std::min(range.least.sharpness, least.sharpness)};
  range.most = {std::max(range.most.luma, most.luma), std::max(range.most.contrast, most.contrast),
                std::max(range.most.sharpness, most.sharpness)};
}

}  // namespace

Onlooker::Onlooker(Size input, std::span<const std::uint8_t> mask)
    : input_(input),
      counts_(static_cast<std::size_t>(input.width) * static_cast<std::size_t>(input.height), kCounts),
      luma_(counts_.size()) {
  for (std::size_t i = 0; i < mask.size(); ++i) counts_[i] = mask[i] == 0 ? 0 : kCounts;
  pixels_ = static_cast<std::uint64_t>(std::ranges::count(counts_, kCounts));
  each_run_of_steps(input_, [&](std::size_t from, std::size_t length, std::size_t offset) {
    for (std::size_t i = from; i < from + length; ++i) steps_ += (counts_[i] & counts_[i + offset]) == 0 ? 0U : 1U;
  });
}

Look Onlooker::look(std::span<const std::uint8_t> rgb) {
  repeats_ = std::ranges::equal(previous_, rgb) ? repeats_ + 1 : 0;
  previous_.assign(rgb.begin(), rgb.end());
  return {measure(rgb), repeats_};
}

Appearance Onlooker::measure(std::span<const std::uint8_t> rgb) {
  to_luma(rgb, luma_);
  const auto width = static_cast<std::size_t>(input_.width);
  Sums sums;
  for (std::size_t at = 0; at < luma_.size(); at += width) add_row(&luma_[at], &counts_[at], width, sums);
  each_run_of_steps(input_, [&](std::size_t from, std::size_t length, std::size_t offset) {
    add_steps(&luma_[from], &counts_[from], length, offset, sums);
  });
  const double mean = share(sums.luma, pixels_);
  const double contrast = std::sqrt(std::max(share(sums.luma_squares, pixels_) - mean * mean, 0.0));
  const double step = std::sqrt(share(sums.step_squares, steps_));
  return {mean, contrast, contrast > 0 ? step / contrast : 0};
}

void widen(SceneReference& scene, const Look& look) {
  widen(scene.appearance, look.appearance, look.appearance);
  scene.longest_still = std::max(scene.longest_still, look.repeats);
}

void widen(SceneReference& scene, const SceneReference& other) {
  widen(scene.appearance, other.appearance.least, other.appearance.most);
  scene.longest_still = std::max(scene.longest_still, other.longest_still);
  scene.black_found = scene.black_found && other.black_found;
  scene.white_found = scene.white_found && other.white_found;
}

}  // namespace padim
