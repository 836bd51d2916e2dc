// One gain per channel (light times white balance), one shift by bilinear interpolation with the border repeated, and
// noise per sample: the sum of four uniform numbers, scaled to the wanted deviation, which is close enough to a normal
// one and costs no transcendental function. std::mt19937_64 gives the same numbers everywhere.

#include "image/augmentation.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace padim {
namespace {

constexpr float kLight = 0.15F;
constexpr float kWhiteBalance = 0.05F;
constexpr float kShift = 1.5F;
constexpr float kNoise = 0.01F * 255;  // standard deviation

// Source sample and fraction of the next one, for one axis.
struct Tap {
  int low;
  int high;
  float fraction;
};

std::vector<Tap> shifted_axis(int length, float shift) {
  std::vector<Tap> taps;
  for (int i = 0; i < length; ++i) {
    const float at = std::clamp(static_cast<float>(i) + shift, 0.0F, static_cast<float>(length - 1));
    const int low = static_cast<int>(at);
    taps.push_back({low, std::min(low + 1, length - 1), at - static_cast<float>(low)});
  }
  return taps;
}

}  // namespace

float Augmentation::uniform(float low, float high) {
  constexpr float kScale = 1.0F / static_cast<float>(1 << 24);
  return low + (high - low) * static_cast<float>(random_() >> 40U) * kScale;
}

float Augmentation::noise() {
  // Four 16-bit uniform numbers of variance 1/12 each: their sum has variance 1/3.
  constexpr float kScale = kNoise * 1.7320508F / 65536;
  const std::uint64_t bits = random_();
  const auto sum =
      static_cast<float>((bits & 0xffffU) + (bits >> 16U & 0xffffU) + (bits >> 32U & 0xffffU) + (bits >> 48U));
  return (sum - 2 * 65535.0F) * kScale;
}

void Augmentation::run(std::span<const std::uint8_t> from, Size size, std::span<std::uint8_t> to) {
  const float light = uniform(1 - kLight, 1 + kLight);
  std::array<float, 3> gain{};
  for (float& channel : gain) channel = light * uniform(1 - kWhiteBalance, 1 + kWhiteBalance);
  const std::vector<Tap> columns = shifted_axis(size.width, uniform(-kShift, kShift));
  const std::vector<Tap> rows = shifted_axis(size.height, uniform(-kShift, kShift));
  std::uint8_t* out = to.data();
  for (const Tap& row : rows) {
    const auto at = [&](int y, int x) {
      return from.data() +
             (static_cast<std::size_t>(y) * static_cast<std::size_t>(size.width) + static_cast<std::size_t>(x)) * 3;
    };
    for (const Tap& column : columns) {
      const std::uint8_t* corners[] = {at(row.low, column.low), at(row.low, column.high), at(row.high, column.low),
                                       at(row.high, column.high)};
      for (std::size_t c = 0; c < 3; ++c, ++out) {
        const float top =
            std::lerp(static_cast<float>(corners[0][c]), static_cast<float>(corners[1][c]), column.fraction);
        const float bottom =
            std::lerp(static_cast<float>(corners[2][c]), static_cast<float>(corners[3][c]), column.fraction);
        const float value = std::lerp(top, bottom, row.fraction) * gain[c] + noise();
        *out = static_cast<std::uint8_t>(std::clamp(value + 0.5F, 0.0F, 255.0F));
      }
    }
  }
}

}  // namespace padim
