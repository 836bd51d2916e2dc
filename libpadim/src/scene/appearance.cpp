// Integer sums over 8-bit luma (ITU-R BT.601 in 1/256), exact for inputs of up to 4096 x 4096: equal pictures have
// equal figures on every machine. A row's sums fit into 32 bits (4096 x 255^2 < 2^32), so that the loops vectorise. A
// pixel that does not count multiplies by 0; a step counts where both of its ends do. Checked against plain double
// loops.

#include "scene/appearance.h"

#include <algorithm>
#include <cmath>

namespace padim {
namespace {

void to_luma(std::span<const std::uint8_t> rgb, std::span<std::uint8_t> luma) noexcept {
  const std::uint8_t* from = rgb.data();
  for (std::uint8_t& value : luma) {
    value = static_cast<std::uint8_t>((77 * from[0] + 150 * from[1] + 29 * from[2] + 128) >> 8);
    from += 3;
  }
}

struct Sums {
  std::uint64_t pixels = 0;
  std::uint64_t luma = 0;
  std::uint64_t luma_squares = 0;
  std::uint64_t steps = 0;
  std::uint64_t step_squares = 0;
};

void add_row(const std::uint8_t* luma, const std::uint8_t* counts, std::size_t width, Sums& sums) noexcept {
  std::uint32_t pixels = 0;
  std::uint32_t sum = 0;
  std::uint32_t squares = 0;
  for (std::size_t x = 0; x < width; ++x) {
    const std::uint32_t value = std::uint32_t{luma[x]} * counts[x];
    pixels += counts[x];
    sum += value;
    squares += value * value;
  }
  sums.pixels += pixels;
  sums.luma += sum;
  sums.luma_squares += squares;
}

// From `length` pixels to those `offset` further on.
void add_steps(const std::uint8_t* luma, const std::uint8_t* counts, std::size_t length, std::size_t offset,
               Sums& sums) noexcept {
  std::uint32_t steps = 0;
  std::uint32_t squares = 0;
  for (std::size_t x = 0; x < length; ++x) {
    const int both = counts[x] & counts[x + offset];
    const int step = (luma[x + offset] - luma[x]) * both;
    steps += static_cast<std::uint32_t>(both);
    squares += static_cast<std::uint32_t>(step * step);
  }
  sums.steps += steps;
  sums.step_squares += squares;
}

Appearance appearance_of(const Sums& sums) {
  if (sums.pixels == 0) return {};
  const auto n = static_cast<double>(sums.pixels);
  const double mean = static_cast<double>(sums.luma) / n;
  const double contrast = std::sqrt(std::max(static_cast<double>(sums.luma_squares) / n - mean * mean, 0.0));
  if (sums.steps == 0 || contrast == 0) return {mean, contrast, 0};
  const double step = std::sqrt(static_cast<double>(sums.step_squares) / static_cast<double>(sums.steps));
  return {mean, contrast, step / contrast};
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
      counts_(static_cast<std::size_t>(input.width) * static_cast<std::size_t>(input.height), 1),
      luma_(counts_.size()) {
  std::copy(mask.begin(), mask.end(), counts_.begin());
}

Look Onlooker::look(std::span<const std::uint8_t> rgb) {
  repeats_ = std::ranges::equal(previous_, rgb) ? repeats_ + 1 : 0;
  previous_.assign(rgb.begin(), rgb.end());
  return {measure(rgb), repeats_};
}

Appearance Onlooker::measure(std::span<const std::uint8_t> rgb) {
  to_luma(rgb, luma_);
  const auto width = static_cast<std::size_t>(input_.width);
  const auto height = static_cast<std::size_t>(input_.height);
  Sums sums;
  for (std::size_t y = 0; y < height; ++y) {
    const std::uint8_t* luma = luma_.data() + y * width;
    const std::uint8_t* counts = counts_.data() + y * width;
    add_row(luma, counts, width, sums);
    add_steps(luma, counts, width - 1, 1, sums);
    if (y + 1 < height) add_steps(luma, counts, width, width, sums);
  }
  return appearance_of(sums);
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
