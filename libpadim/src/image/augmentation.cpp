// One gain per channel (light times white balance), one shift, and noise per sample. The shift is the same for all
// pixels, so interpolation is two passes with constant weights: between two rows, then between two columns, where the
// gain goes into the weights. All in 16-bit integers, which the compiler vectorises and which are the same everywhere.
// The noise is cut from a long strip of samples at a place of its own for each row, as video codecs add film grain.
//
// A turned copy takes each pixel from where the rotation has it from, between four pixels, in 16.16 fixed point.

#include "image/augmentation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>

namespace padim {
namespace {

constexpr float kLight = 0.15F;
constexpr float kWhiteBalance = 0.05F;
constexpr float kShift = 1.5F;
constexpr float kNoise = 0.01F * 255;  // standard deviation

constexpr float kTurnedShift = 4;
constexpr float kTurnedLight = 0.1F;

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

constexpr int kPlaceBits = 16;  // fraction of a place in the picture
constexpr int kGainBits = 8;

// Where a coordinate of a pixel comes from: two pixels, and the weight of the second one in 256ths.
struct Tap {
  Tap(std::int32_t place, int length) {
    const std::int32_t inside = std::clamp(place, 0, (length - 1) << kPlaceBits);
    low = inside >> kPlaceBits;
    high = std::min(low + 1, length - 1);
    weight = inside >> (kPlaceBits - 8) & 0xff;
  }

  int low;
  int high;
  int weight;
};

// An RGB picture whose border goes on for ever.
struct Picture {
  std::span<const std::uint8_t> pixels;
  Size size;

  [[nodiscard]] const std::uint8_t* at(int x, int y) const {
    return pixels.data() +
           (static_cast<std::size_t>(y) * static_cast<std::size_t>(size.width) + static_cast<std::size_t>(x)) * 3;
  }

  // One pixel at a place between pixels, times a gain.
  void sample(std::int32_t x, std::int32_t y, int gain, std::uint8_t* to) const {
    constexpr int kBits = 8 + 8 + kGainBits;
    const Tap column(x, size.width);
    const Tap row(y, size.height);
    const std::uint8_t* upper[] = {at(column.low, row.low), at(column.high, row.low)};
    const std::uint8_t* lower[] = {at(column.low, row.high), at(column.high, row.high)};
    const auto between = [&](const std::uint8_t* const* two, int c) {
      return two[0][c] * (256 - column.weight) + two[1][c] * column.weight;
    };
    for (int c = 0; c < 3; ++c) {
      const auto value =
          static_cast<std::int64_t>(between(upper, c) * (256 - row.weight) + between(lower, c) * row.weight) * gain;
      to[c] = static_cast<std::uint8_t>(std::min<std::int64_t>((value + (1 << (kBits - 1))) >> kBits, 255));
    }
  }
};

std::int32_t place(double value) { return static_cast<std::int32_t>(std::lround(std::ldexp(value, kPlaceBits))); }

}  // namespace

Augmentation::Augmentation(std::uint64_t seed) : random_(seed), noise_(kNoiseSamples) {
  for (std::int16_t& sample : noise_) sample = noise_sample(random_());
}

float Augmentation::uniform(float low, float high) {
  constexpr float kScale = 1.0F / static_cast<float>(1 << 24);
  return low + (high - low) * static_cast<float>(random_() >> 40U) * kScale;
}

void Augmentation::turn(std::span<const std::uint8_t> from, Size size, std::span<std::uint8_t> to) {
  const double angle = uniform(0, 2 * std::numbers::pi_v<float>);
  const double middle_x = (size.width - 1) * 0.5;
  const double middle_y = (size.height - 1) * 0.5;
  const double right = uniform(-kTurnedShift, kTurnedShift);
  const double down = uniform(-kTurnedShift, kTurnedShift);
  const int gain = fixed(uniform(1 - kTurnedLight, 1 + kTurnedLight), kGainBits);
  const double cosine = std::cos(angle);
  const double sine = std::sin(angle);
  std::uint8_t* out = to.data();
  for (int row = 0; row < size.height; ++row) {
    std::int32_t x = place(middle_x + right - cosine * middle_x - sine * (row - middle_y));
    std::int32_t y = place(middle_y + down - sine * middle_x + cosine * (row - middle_y));
    for (int column = 0; column < size.width; ++column, out += 3, x += place(cosine), y += place(sine)) {
      Picture{from, size}.sample(x, y, gain, out);
    }
  }
}

void Augmentation::vary(std::span<const std::uint8_t> from, Size size, std::span<std::uint8_t> to) {
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
