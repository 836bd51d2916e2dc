// One gain per channel (light times white balance), one shift, and noise per sample. The shift is the same for all
// pixels, so interpolation is two passes with constant weights: between two rows, then between two columns, where the
// gain goes into the weights. All in 16-bit integers, which the compiler vectorises and which are the same everywhere.
// The noise is cut from a long strip of samples at a place of its own for each row, as video codecs add film grain.

#include "image/augmentation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

namespace padim {
namespace {

constexpr float kLight = 0.15F;
constexpr float kWhiteBalance = 0.05F;
constexpr float kShift = 1.5F;
constexpr float kNoise = 0.01F * 255;  // standard deviation

constexpr std::size_t kNoiseSamples = std::size_t{1} << 17;
constexpr int kMargin = 2;       // whole pixels of the shift and its interpolation, on either side
constexpr int kRowBits = 8;      // fraction of an interpolated row, and of the weights of its two
constexpr int kWeightBits = 14;  // fraction of the weights of columns: 255 times the highest gain stays below 2^15
constexpr int kSumBits = kRowBits + kWeightBits - 16;

std::uint16_t fixed(float value, int bits) { return static_cast<std::uint16_t>(std::lround(std::ldexp(value, bits))); }

// Pixels down from a position, and the fraction of the next one.
struct Shift {
  explicit Shift(float by) : pixels(static_cast<int>(std::floor(by))), fraction(by - std::floor(by)) {}

  int pixels;
  float fraction;
};

// The row between two, with its ends repeated by kMargin pixels.
void blend_rows(const std::uint8_t* upper, const std::uint8_t* lower, std::uint16_t weight, std::size_t samples,
                std::uint16_t* to) {
  std::uint16_t* inner = to + std::size_t{3} * kMargin;
  const auto rest = static_cast<std::uint16_t>((1 << kRowBits) - weight);
  for (std::size_t i = 0; i < samples; ++i) inner[i] = static_cast<std::uint16_t>(upper[i] * rest + lower[i] * weight);
  for (std::size_t i = 3 * kMargin; i-- > 0;) to[i] = to[i + 3];
  for (std::size_t i = samples; i < samples + 3 * kMargin; ++i) inner[i] = inner[i - 3];
}

// weights: of each sample and of the same channel's next one.
void blend_columns(const std::uint16_t* row, const std::uint16_t* weights, const std::uint16_t* next_weights,
                   const std::int16_t* noise, std::size_t samples, std::uint8_t* to) {
  constexpr int kHalf = 1 << (kSumBits - 1);
  const auto product = [](std::uint16_t a, std::uint16_t b) { return static_cast<int>(std::uint32_t{a} * b >> 16U); };
  for (std::size_t i = 0; i < samples; ++i) {
    const auto sum = static_cast<std::int16_t>(product(row[i], weights[i]) + product(row[i + 3], next_weights[i]));
    const auto noisy = static_cast<std::int16_t>((sum + noise[i] + kHalf) >> kSumBits);
    to[i] = static_cast<std::uint8_t>(std::clamp<std::int16_t>(noisy, 0, 255));
  }
}

// One gain per channel, over a row.
std::vector<std::uint16_t> row_of(const std::array<float, 3>& gain, float factor, std::size_t samples) {
  std::vector<std::uint16_t> row(samples);
  for (std::size_t i = 0; i < samples; ++i) row[i] = fixed(gain[i % 3] * factor, kWeightBits);
  return row;
}

// Four 16-bit uniform numbers have variance 2^32 / 12 each, and a sum close to normal without a transcendental
// function.
std::int16_t noise_sample(std::uint64_t bits) {
  constexpr float kScale = kNoise * (1 << kSumBits) * 1.7320508F / 65536;
  const auto sum =
      static_cast<float>((bits & 0xffffU) + (bits >> 16U & 0xffffU) + (bits >> 32U & 0xffffU) + (bits >> 48U));
  return static_cast<std::int16_t>(std::lround((sum - 2 * 65535.0F) * kScale));
}

}  // namespace

Augmentation::Augmentation(std::uint64_t seed) : random_(seed), noise_(kNoiseSamples) {
  for (std::int16_t& sample : noise_) sample = noise_sample(random_());
}

float Augmentation::uniform(float low, float high) {
  constexpr float kScale = 1.0F / static_cast<float>(1 << 24);
  return low + (high - low) * static_cast<float>(random_() >> 40U) * kScale;
}

void Augmentation::run(std::span<const std::uint8_t> from, Size size, std::span<std::uint8_t> to) {
  const float light = uniform(1 - kLight, 1 + kLight);
  std::array<float, 3> gain{};
  for (float& channel : gain) channel = light * uniform(1 - kWhiteBalance, 1 + kWhiteBalance);
  const Shift right(uniform(-kShift, kShift));
  const Shift down(uniform(-kShift, kShift));

  const auto samples = static_cast<std::size_t>(size.width) * 3;
  const std::vector<std::uint16_t> weights = row_of(gain, 1 - right.fraction, samples);
  const std::vector<std::uint16_t> next_weights = row_of(gain, right.fraction, samples);
  row_.resize(samples + std::size_t{2} * 3 * kMargin);
  const auto row_at = [&](int y) {
    return from.data() + static_cast<std::size_t>(std::clamp(y, 0, size.height - 1)) * samples;
  };
  for (int y = 0; y < size.height; ++y) {
    const int above = y + down.pixels;
    blend_rows(row_at(above), row_at(above + 1), fixed(down.fraction, kRowBits), samples, row_.data());
    const std::int16_t* noise = noise_.data() + random_() % (kNoiseSamples - samples);
    blend_columns(row_.data() + 3 * (kMargin + right.pixels), weights.data(), next_weights.data(), noise, samples,
                  to.data() + static_cast<std::size_t>(y) * samples);
  }
}

}  // namespace padim
