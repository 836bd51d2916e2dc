#include "image/color_kernel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "highway_targets.h"
#include "random_numbers.h"

namespace padim::test {
namespace {

constexpr std::uint8_t kGuard = 0xa5;
constexpr YuvMatrix kMatrices[] = {YuvMatrix::bt601, YuvMatrix::bt709, YuvMatrix::bt2020};
constexpr YuvRange kRanges[] = {YuvRange::limited, YuvRange::full};

// How a format holds its components: steps, and each one's place in its group of `step` bytes.
struct Layout {
  int luma_step, luma_place, chroma_step, u_place, v_place;
};

constexpr Layout kLayouts[] = {
    {1, 0, 1, 0, 0},  // I420
    {1, 0, 2, 0, 1},  // NV12
    {2, 0, 4, 1, 3},  // YUY2
    {2, 1, 4, 0, 2},  // UYVY
};

// Bytes that end where the last pixel's group ends, so that a sanitizer notices any byte read past it.
std::vector<std::uint8_t> groups(int pixels, int step, std::uint32_t seed) {
  return random_bytes(static_cast<std::size_t>(pixels * step), seed);
}

// Every layout, every number of pixels up to several vectors: bit for bit, and nothing written behind the last pixel.
TEST(YuvToRgb, EqualsTheScalarTwin) {
  for_each_target([] {
    const YuvCoefficients k = yuv_coefficients(YuvMatrix::bt709, YuvRange::limited);
    for (const Layout& layout : kLayouts) {
      for (int pixels = 1; pixels <= 150; ++pixels) {
        const auto luma = groups(pixels, layout.luma_step, 1);
        const auto u = groups(pixels, layout.chroma_step, 2);
        const auto v = layout.chroma_step == 1 ? groups(pixels, 1, 3) : u;
        std::vector<std::uint8_t> simd(static_cast<std::size_t>(3 * pixels) + 64, kGuard);
        std::vector<std::uint8_t> scalar = simd;
        const ColorChannel channels[] = {{luma.data() + layout.luma_place, layout.luma_step},
                                         {u.data() + layout.u_place, layout.chroma_step},
                                         {v.data() + layout.v_place, layout.chroma_step}};
        yuv_to_rgb(channels[0], channels[1], channels[2], k, pixels, simd.data());
        yuv_to_rgb_scalar(channels[0], channels[1], channels[2], k, pixels, scalar.data());
        ASSERT_EQ(simd, scalar) << pixels << " pixels, chroma step " << layout.chroma_step;
      }
    }
  });
}

// The definition of the standards, in levels of 255, not rounded.
std::array<double, 3> exact_rgb(int y, int u, int v, YuvMatrix matrix, YuvRange range) {
  const double kr = matrix == YuvMatrix::bt601 ? 0.299 : matrix == YuvMatrix::bt709 ? 0.2126 : 0.2627;
  const double kb = matrix == YuvMatrix::bt601 ? 0.114 : matrix == YuvMatrix::bt709 ? 0.0722 : 0.0593;
  const bool limited = range == YuvRange::limited;
  const double luma = limited ? (y - 16) * 255.0 / 219 : y;
  const double red = luma + 2 * (1 - kr) * (v - 128) * (limited ? 255.0 / 224 : 1);
  const double blue = luma + 2 * (1 - kb) * (u - 128) * (limited ? 255.0 / 224 : 1);
  return {red, (luma - kr * red - kb * blue) / (1 - kr - kb), blue};
}

// Every luma with a grid of chroma, limits included: the level nearest to the exact one, but for ties to within a
// ten-thousandth of a level.
TEST(YuvToRgb, RoundsTheExactFormula) {
  std::vector<std::uint8_t> luma(256);
  for (std::size_t i = 0; i < luma.size(); ++i) luma[i] = static_cast<std::uint8_t>(i);
  std::vector<std::uint8_t> rgb(3 * luma.size());
  for (const YuvMatrix matrix : kMatrices) {
    for (const YuvRange range : kRanges) {
      const YuvCoefficients k = yuv_coefficients(matrix, range);
      double largest = 0;
      for (int uv = 0; uv < 52 * 52; ++uv) {
        const int u = uv % 52 * 5;
        const int v = uv / 52 * 5;
        const std::vector<std::uint8_t> cb(luma.size(), static_cast<std::uint8_t>(u));
        const std::vector<std::uint8_t> cr(luma.size(), static_cast<std::uint8_t>(v));
        yuv_to_rgb({luma.data(), 1}, {cb.data(), 1}, {cr.data(), 1}, k, 256, rgb.data());
        for (std::size_t i = 0; i < rgb.size(); ++i) {
          const double exact = exact_rgb(static_cast<int>(i / 3), u, v, matrix, range)[i % 3];
          largest = std::max(largest, std::abs(rgb[i] - std::clamp(exact, 0.0, 255.0)));
        }
      }
      EXPECT_LE(largest, 0.5 + 1e-4);
    }
  }
}

}  // namespace
}  // namespace padim::test
