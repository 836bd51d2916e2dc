#include "image/augmentation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace padim::test {
namespace {

constexpr Size kSize{40, 30};

double mean_of(const std::vector<std::uint8_t>& pixels, std::size_t channel) {
  double sum = 0;
  for (std::size_t i = channel; i < pixels.size(); i += 3) sum += pixels[i];
  return sum / (static_cast<double>(pixels.size()) / 3);
}

// Over many copies light, white balance and noise stay inside their limits and use them.
TEST(Augmentation, KeepsToItsRanges) {
  const std::vector<std::uint8_t> grey(static_cast<std::size_t>(kSize.width * kSize.height * 3), 120);
  std::vector<std::uint8_t> copy(grey.size());
  Augmentation augmentation(1);
  double darkest = 255;
  double brightest = 0;
  double balance = 0;
  for (int i = 0; i < 300; ++i) {
    augmentation.vary(grey, kSize, copy);
    const double red = mean_of(copy, 0);
    darkest = std::min(darkest, red);
    brightest = std::max(brightest, red);
    balance = std::max(balance, std::abs(red / mean_of(copy, 2) - 1));
    double squares = 0;
    for (std::size_t p = 0; p < copy.size(); p += 3) squares += (copy[p] - red) * (copy[p] - red);
    EXPECT_NEAR(std::sqrt(squares / (static_cast<double>(copy.size()) / 3)), 2.55, 0.4);
  }
  EXPECT_GT(darkest, 120 * 0.85 * 0.95 - 1);
  EXPECT_LT(darkest, 120 * 0.88);
  EXPECT_LT(brightest, 120 * 1.15 * 1.05 + 1);
  EXPECT_GT(brightest, 120 * 1.12);
  EXPECT_GT(balance, 0.06);
  EXPECT_LT(balance, 0.12);
}

// A picture moves by at most 1.5 pixels: the centre of a bright spot tells.
TEST(Augmentation, ShiftsByFractionsOfPixels) {
  std::vector<std::uint8_t> spot(static_cast<std::size_t>(kSize.width * kSize.height * 3), 0);
  for (int y = 13; y < 18; ++y) {
    for (int x = 18; x < 23; ++x) spot[static_cast<std::size_t>((y * kSize.width + x) * 3)] = 200;
  }
  std::vector<std::uint8_t> copy(spot.size());
  Augmentation augmentation(2);
  double farthest = 0;
  for (int i = 0; i < 200; ++i) {
    augmentation.vary(spot, kSize, copy);
    double sum = 0;
    double at_x = 0;
    for (int y = 0; y < kSize.height; ++y) {
      for (int x = 0; x < kSize.width; ++x) {
        const auto value = static_cast<double>(copy[static_cast<std::size_t>((y * kSize.width + x) * 3)]);
        if (value < 20) continue;
        sum += value;
        at_x += value * x;
      }
    }
    farthest = std::max(farthest, std::abs(at_x / sum - 20));
  }
  EXPECT_GT(farthest, 1.2);
  EXPECT_LT(farthest, 1.7);
}

// The same seed gives the same copies; another seed gives others.
TEST(Augmentation, FollowsItsSeed) {
  const std::vector<std::uint8_t> grey(static_cast<std::size_t>(kSize.width * kSize.height * 3), 120);
  const auto third = [&](std::uint64_t seed) {
    Augmentation augmentation(seed);
    std::vector<std::uint8_t> copy(grey.size());
    for (int i = 0; i < 3; ++i) augmentation.vary(grey, kSize, copy);
    return copy;
  };
  EXPECT_EQ(third(5), third(5));
  EXPECT_NE(third(5), third(6));
}

// The centre of the red light of a picture whose ground is black.
std::pair<double, double> centre_of(const std::vector<std::uint8_t>& pixels, Size size) {
  double sum = 0;
  double x = 0;
  double y = 0;
  for (std::size_t i = 0; i < pixels.size(); i += 3) {
    const auto at = static_cast<int>(i / 3);
    sum += pixels[i];
    x += pixels[i] * static_cast<double>(at % size.width);
    y += pixels[i] * static_cast<double>(at / size.width);
  }
  return {x / sum, y / sum};
}

// Turned copies: a spot stays on its circle about the middle, give or take the shift, comes into every quadrant, and
// keeps its light but for 10 %.
TEST(Augmentation, TurnsAboutTheMiddle) {
  constexpr Size kSquare{81, 61};
  constexpr double kRadius = 20;
  std::vector<std::uint8_t> spot(static_cast<std::size_t>(kSquare.width * kSquare.height * 3), 0);
  for (int y = 28; y < 33; ++y) {
    for (int x = 58; x < 63; ++x) spot[static_cast<std::size_t>((y * kSquare.width + x) * 3)] = 200;
  }
  std::vector<std::uint8_t> copy(spot.size());
  Augmentation augmentation(3);
  int quadrants[4] = {};
  double nearest = kRadius;
  double farthest = kRadius;
  double dimmest = 1;
  double brightest = 1;
  for (int i = 0; i < 400; ++i) {
    augmentation.turn(spot, kSquare, copy);
    const auto [x, y] = centre_of(copy, kSquare);
    ++quadrants[(x > 40 ? 1 : 0) + (y > 30 ? 2 : 0)];
    const double radius = std::hypot(x - 40, y - 30);
    nearest = std::min(nearest, radius);
    farthest = std::max(farthest, radius);
    const double light = mean_of(copy, 0) / mean_of(spot, 0);
    dimmest = std::min(dimmest, light);
    brightest = std::max(brightest, light);
  }
  for (const int count : quadrants) EXPECT_NEAR(count, 100, 35);
  EXPECT_GT(nearest, kRadius - 4 * std::sqrt(2.0) - 0.2);
  EXPECT_LT(nearest, kRadius - 3);
  EXPECT_LT(farthest, kRadius + 4 * std::sqrt(2.0) + 0.2);
  EXPECT_GT(farthest, kRadius + 3);
  EXPECT_NEAR(dimmest, 0.9, 0.02);
  EXPECT_NEAR(brightest, 1.1, 0.02);
}

// What a turned picture shows beyond its border is its border.
TEST(Augmentation, RepeatsTheBorderOfATurnedPicture) {
  const std::vector<std::uint8_t> grey(static_cast<std::size_t>(kSize.width * kSize.height * 3), 120);
  std::vector<std::uint8_t> copy(grey.size());
  Augmentation augmentation(4);
  for (int i = 0; i < 20; ++i) {
    augmentation.turn(grey, kSize, copy);
    EXPECT_EQ(std::ranges::count(copy, copy.front()), static_cast<std::ptrdiff_t>(copy.size()));
    EXPECT_NEAR(copy.front(), 120, 12.5);
  }
}

}  // namespace
}  // namespace padim::test
