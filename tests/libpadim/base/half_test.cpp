#include "base/half.h"

#include <gtest/gtest.h>

#include <Eigen/Core>
#include <cmath>
#include <limits>
#include <random>

namespace padim::test {
namespace {

// Value of a half by its definition: sign * mantissa * 2^exponent.
double by_definition(std::uint16_t half) {
  const int exponent = (half >> 10) & 31;
  const int mantissa = half & 1023;
  const double sign = (half & 0x8000) != 0 ? -1 : 1;
  if (exponent == 31) return mantissa != 0 ? std::nan("") : sign * std::numeric_limits<double>::infinity();
  return sign * (exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25));
}

// All 65536 halves: exact in float, and back to the same bits (any NaN to a NaN of the same sign).
TEST(Half, RoundTripsEveryValue) {
  for (std::uint32_t bits = 0; bits <= 0xffff; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = half_to_float(half);
    const double expected = by_definition(half);
    if (std::isnan(expected)) {
      EXPECT_TRUE(std::isnan(value)) << bits;
      EXPECT_TRUE(std::isnan(by_definition(float_to_half(value)))) << bits;
    } else {
      EXPECT_EQ(static_cast<double>(value), expected) << bits;
      EXPECT_EQ(std::signbit(value), (half & 0x8000) != 0) << bits;
      EXPECT_EQ(float_to_half(value), half) << bits;
    }
  }
}

// Between every pair of neighbouring halves: just below, on and just above the middle go to the nearest, ties to even.
TEST(Half, RoundsToNearestTiesToEven) {
  for (std::uint16_t low = 0; low < 0x7bff; ++low) {
    const auto high = static_cast<std::uint16_t>(low + 1);
    const auto middle = static_cast<float>((by_definition(low) + by_definition(high)) / 2);
    const float below = std::nextafter(middle, 0.0F);
    const float above = std::nextafter(middle, 1e9F);
    ASSERT_EQ(float_to_half(below), low);
    ASSERT_EQ(float_to_half(middle), low % 2 == 0 ? low : high);
    ASSERT_EQ(float_to_half(above), high);
    ASSERT_EQ(float_to_half(-above), high | 0x8000);
  }
}

// Any bit pattern of a float, against Eigen's conversion; overflow starts at 65520.
TEST(Half, EqualsEigenOnAnyFloat) {
  std::mt19937 generator(3);
  for (int i = 0; i < 2'000'000; ++i) {
    const float value = std::bit_cast<float>(static_cast<std::uint32_t>(generator()));
    if (std::isnan(value)) continue;
    ASSERT_EQ(float_to_half(value), Eigen::half_impl::float_to_half_rtne(value).x) << std::hexfloat << value;
  }
  EXPECT_EQ(float_to_half(65504), 0x7bff);
  EXPECT_EQ(float_to_half(std::nextafter(65520.0F, 0.0F)), 0x7bff);
  EXPECT_EQ(float_to_half(65520), 0x7c00);
  EXPECT_EQ(float_to_half(-std::numeric_limits<float>::max()), 0xfc00);
  EXPECT_EQ(float_to_half(std::numeric_limits<float>::denorm_min()), 0);
  EXPECT_EQ(float_to_half(-0.0F), 0x8000);
}

}  // namespace
}  // namespace padim::test
