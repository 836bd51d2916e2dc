#include "scene/appearance.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <vector>

#include "random_numbers.h"

namespace padim::test {
namespace {

constexpr Size kSize{61, 37};
using Pixels = std::vector<std::uint8_t>;

Pixels noise(std::uint32_t seed) {
  return random_bytes(static_cast<std::size_t>(kSize.width) * static_cast<std::size_t>(kSize.height) * 3, seed);
}

// Two thirds of the pixels, in no order.
Pixels random_mask(std::uint32_t seed) {
  Pixels mask = random_bytes(static_cast<std::size_t>(kSize.width) * static_cast<std::size_t>(kSize.height), seed);
  for (std::uint8_t& value : mask) value = value % 3 == 0 ? 0 : 1;
  return mask;
}

// Plain loops in double precision.
class Oracle {
 public:
  Oracle(const Pixels& rgb, const Pixels& mask) : rgb_(rgb), mask_(mask) {}

  [[nodiscard]] Appearance appearance() const {
    double n = 0;
    double mean = 0;
    each([&](int x, int y) { mean += luma(x, y), ++n; });
    mean /= n;
    double variance = 0;
    double steps = 0;
    double squares = 0;
    each([&](int x, int y) {
      variance += std::pow(luma(x, y) - mean, 2) / n;
      if (x + 1 < kSize.width && counts(x + 1, y)) squares += std::pow(luma(x + 1, y) - luma(x, y), 2), ++steps;
      if (y + 1 < kSize.height && counts(x, y + 1)) squares += std::pow(luma(x, y + 1) - luma(x, y), 2), ++steps;
    });
    return {mean, std::sqrt(variance), std::sqrt(squares / steps) / std::sqrt(variance)};
  }

 private:
  static std::size_t at(int x, int y) { return static_cast<std::size_t>(y * kSize.width + x); }
  [[nodiscard]] bool counts(int x, int y) const { return mask_.empty() || mask_[at(x, y)] != 0; }
  [[nodiscard]] double luma(int x, int y) const {
    const std::uint8_t* p = rgb_.data() + 3 * at(x, y);
    return std::floor((77 * p[0] + 150 * p[1] + 29 * p[2] + 128) / 256.0);
  }
  template <class Use>
  void each(const Use& use) const {
    for (int y = 0; y < kSize.height; ++y) {
      for (int x = 0; x < kSize.width; ++x) {
        if (counts(x, y)) use(x, y);
      }
    }
  }

  const Pixels& rgb_;
  const Pixels& mask_;
};

void expect_near(const Appearance& actual, const Appearance& expected) {
  EXPECT_NEAR(actual.luma, expected.luma, 1e-9);
  EXPECT_NEAR(actual.contrast, expected.contrast, 1e-9);
  EXPECT_NEAR(actual.sharpness, expected.sharpness, 1e-9);
}

Appearance look_at(const Pixels& rgb, const Pixels& mask = {}) { return Onlooker(kSize, mask).look(rgb).appearance; }

// A picture whose columns alternate every `period` pixels between mean - swing and mean + swing.
Pixels stripes(int mean, int swing, int period) {
  Pixels rgb;
  for (int i = 0; i < kSize.width * kSize.height; ++i) {
    const int value = i % kSize.width / period % 2 == 0 ? mean - swing : mean + swing;
    rgb.insert(rgb.end(), 3, static_cast<std::uint8_t>(value));
  }
  return rgb;
}

// The figures are those of plain loops, with and without a mask.
TEST(Appearance, IsThatOfPlainLoops) {
  for (std::uint32_t seed = 0; seed < 8; ++seed) {
    const Pixels rgb = noise(seed);
    for (const Pixels& mask : {Pixels{}, random_mask(seed + 100)}) {
      expect_near(look_at(rgb, mask), Oracle(rgb, mask).appearance());
    }
  }
}

// What a mask ignores changes nothing.
TEST(Appearance, DoesNotSeeWhatIsIgnored) {
  const Pixels mask = random_mask(5);
  Pixels rgb = noise(1);
  const Appearance before = look_at(rgb, mask);
  for (std::size_t i = 0; i < mask.size(); ++i) {
    if (mask[i] == 0) rgb[3 * i] = rgb[3 * i + 1] = rgb[3 * i + 2] = 255;
  }
  EXPECT_EQ(look_at(rgb, mask), before);
  EXPECT_NE(look_at(rgb), before);
}

// Gain changes luma and contrast, and not sharpness; blur lowers sharpness alone.
TEST(Appearance, TellsGainFromBlur) {
  const Appearance plain = look_at(stripes(100, 40, 1));
  const Appearance half = look_at(stripes(50, 20, 1));
  const Appearance coarse = look_at(stripes(100, 40, 4));
  EXPECT_NEAR(half.luma, plain.luma / 2, 1);
  EXPECT_NEAR(half.contrast, plain.contrast / 2, 1e-9);
  EXPECT_NEAR(half.sharpness, plain.sharpness, 1e-9);
  EXPECT_NEAR(coarse.contrast, plain.contrast, 0.1);
  EXPECT_LT(coarse.sharpness, plain.sharpness * 0.6);
}

// A flat picture, and one of which nothing counts, have no sharpness rather than none that is a number.
TEST(Appearance, OfFlatPictures) {
  for (const int level : {0, 77, 255}) {
    const Appearance flat = look_at(stripes(level, 0, 1));
    EXPECT_EQ(flat, (Appearance{static_cast<double>(level), 0, 0}));
  }
  EXPECT_EQ(look_at(noise(1), Pixels(static_cast<std::size_t>(kSize.width * kSize.height))), Appearance{});
}

// Pictures that come again are counted up to the first that differs in a single byte.
TEST(Onlooker, CountsRepeats) {
  Onlooker onlooker(kSize, {});
  Pixels rgb = noise(3);
  for (std::int64_t i = 0; i < 5; ++i) EXPECT_EQ(onlooker.look(rgb).repeats, i);
  rgb.back() ^= 1;
  EXPECT_EQ(onlooker.look(rgb).repeats, 0);
  EXPECT_EQ(onlooker.look(rgb).repeats, 1);
}

// A range holds all that it has seen, whichever way it came.
TEST(SceneReference, Widens) {
  SceneReference one;
  widen(one, Look{{100, 20, 0.5}, 0});
  widen(one, Look{{90, 25, 0.4}, 3});
  EXPECT_EQ(one.appearance.least, (Appearance{90, 20, 0.4}));
  EXPECT_EQ(one.appearance.most, (Appearance{100, 25, 0.5}));
  EXPECT_EQ(one.longest_still, 3);

  SceneReference two;
  widen(two, Look{{110, 5, 0.45}, 7});
  one.black_found = one.white_found = two.white_found = true;
  widen(one, two);
  EXPECT_EQ(one.appearance.least, (Appearance{90, 5, 0.4}));
  EXPECT_EQ(one.appearance.most, (Appearance{110, 25, 0.5}));
  EXPECT_EQ(one.longest_still, 7);
  EXPECT_FALSE(one.black_found);
  EXPECT_TRUE(one.white_found);
}

}  // namespace
}  // namespace padim::test
