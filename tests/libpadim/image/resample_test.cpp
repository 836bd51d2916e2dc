#include "image/resample.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "random_numbers.h"

namespace padim::test {
namespace {

// Grey pictures and what Pillow 9.4's Image.resize made of them (LANCZOS, BILINEAR). Many more sizes are compared with
// the installed Pillow in tests/reference/oracle_test.py.
struct Picture {
  Size from;
  Size to;
  ResampleFilter filter;
  std::vector<std::uint8_t> pixels;
  std::vector<std::uint8_t> resized;
};
const Picture kPictures[] = {
    {{7, 5},
     {3, 2},
     ResampleFilter::lanczos3,
     {171, 206, 5,  206, 120, 131, 161, 73,  250, 13,  71, 98,  146, 104, 33, 11,  0,  12,
      38,  255, 48, 167, 192, 60,  72,  111, 67,  249, 45, 229, 204, 216, 29, 100, 160},
     {108, 74, 139, 123, 90, 128}},
    {{7, 5},
     {3, 2},
     ResampleFilter::triangle,
     {126, 170, 173, 169, 15,  245, 142, 231, 69,  92,  225, 47, 16,  95, 173, 31,  222, 87,
      58,  139, 229, 226, 223, 78,  4,   199, 181, 197, 0,   9,  128, 85, 111, 238, 52},
     {140, 127, 115, 123, 102, 161}},
    {{3, 2}, {8, 5}, ResampleFilter::lanczos3, {255, 0, 0, 255, 0, 0}, {255, 245, 161, 48, 0, 0, 0, 11,
                                                                        255, 245, 161, 48, 0, 0, 0, 11,
                                                                        255, 245, 161, 48, 0, 0, 0, 11,
                                                                        255, 245, 161, 48, 0, 0, 0, 11,
                                                                        255, 245, 161, 48, 0, 0, 0, 11}},
    {{4, 3}, {6, 4}, ResampleFilter::triangle, {0, 0, 0, 255, 255, 0, 0, 255, 255, 0, 0, 0}, {0,   0,   0, 0, 128, 255,
                                                                                              159, 80,  0, 0, 128, 255,
                                                                                              255, 128, 0, 0, 80,  159,
                                                                                              255, 128, 0, 0, 0,   0}},
    {{11, 1}, {4, 1}, ResampleFilter::lanczos3, {37, 204, 133, 129, 74, 129, 247, 60, 196, 3, 80}, {130, 122, 156, 74}},
    {{1, 9},
     {2, 3},
     ResampleFilter::triangle,
     {238, 223, 21, 215, 216, 116, 94, 250, 243},
     {175, 175, 158, 158, 193, 193}},
    {{6, 6},
     {6, 3},
     ResampleFilter::lanczos3,
     {173, 102, 53,  239, 68, 142, 172, 61,  80,  189, 50, 172, 241, 175, 165, 118, 247, 56,
      91,  164, 167, 27,  41, 177, 215, 162, 238, 96,  84, 204, 10,  49,  49,  99,  40,  204},
     {184, 86, 67, 216, 86, 140, 183, 166, 179, 78, 135, 128, 99, 111, 146, 85, 46, 211}},
};

ResampleAxis whole(int from, int to, ResampleFilter filter) {
  return make_resample_axis(from, 0, from, to, 0, to, filter);
}

std::vector<std::uint8_t> resize(const std::vector<std::uint8_t>& pixels, Size from, int channels,
                                 ResampleAxis horizontal, ResampleAxis vertical,
                                 ResampleOrder order = ResampleOrder::horizontal_first) {
  std::vector<std::uint8_t> output(horizontal.first.size() * vertical.first.size() *
                                   static_cast<std::size_t>(channels));
  Resampler resampler(std::move(horizontal), std::move(vertical), order);
  resampler.run({pixels.data(), std::ptrdiff_t{from.width} * channels, from.width, from.height, channels},
                output.data());
  return output;
}

// Bit for bit what Pillow gives, downwards, upwards and along one axis only.
TEST(Resample, EqualsPillow) {
  for (const Picture& c : kPictures) {
    EXPECT_EQ(resize(c.pixels, c.from, 1, whole(c.from.width, c.to.width, c.filter),
                     whole(c.from.height, c.to.height, c.filter)),
              c.resized)
        << c.from.width << "x" << c.from.height;
  }
}

// A crop is the same part of the whole result.
TEST(Resample, CropsAfterResizing) {
  std::mt19937 generator(2);
  for (int round = 0; round < 60; ++round) {
    const Size from{random_int(generator, 5, 120), random_int(generator, 5, 120)};
    const Size to{random_int(generator, 4, 80), random_int(generator, 4, 80)};
    const int left = random_int(generator, 0, to.width - 1);
    const int top = random_int(generator, 0, to.height - 1);
    const Size part{random_int(generator, 1, to.width - left), random_int(generator, 1, to.height - top)};
    const auto filter = round % 2 == 0 ? ResampleFilter::lanczos3 : ResampleFilter::triangle;
    const auto pixels =
        random_bytes(static_cast<std::size_t>(from.width * from.height * 3), static_cast<std::uint32_t>(round));
    const auto all =
        resize(pixels, from, 3, whole(from.width, to.width, filter), whole(from.height, to.height, filter));
    const auto crop =
        resize(pixels, from, 3, make_resample_axis(from.width, 0, from.width, to.width, left, part.width, filter),
               make_resample_axis(from.height, 0, from.height, to.height, top, part.height, filter));
    for (int y = 0; y < part.height; ++y) {
      const auto row = all.begin() + ((top + y) * to.width + left) * 3;
      ASSERT_TRUE(std::equal(row, row + part.width * 3, crop.begin() + y * part.width * 3)) << round;
    }
  }
}

// Weights of every output sum to one and stay inside the input, so flat pictures stay flat at every level.
TEST(Resample, KeepsFlatPicturesFlat) {
  std::mt19937 generator(3);
  for (int round = 0; round < 300; ++round) {
    const int from = random_int(generator, 1, 2000);
    const int to = random_int(generator, 1, 300);
    const double end = round % 3 == 0 ? from - 0.5 : from;  // chroma of an odd frame ends in the middle of a sample
    const auto filter = round % 2 == 0 ? ResampleFilter::lanczos3 : ResampleFilter::triangle;
    const ResampleAxis axis = make_resample_axis(from, 0, end, to, 0, to, filter);
    for (std::size_t i = 0; i < static_cast<std::size_t>(to); ++i) {
      ASSERT_GE(axis.first[i], 0);
      ASSERT_GE(axis.count[i], 1) << from << " to " << to;
      ASSERT_LE(axis.count[i], axis.taps);
      ASSERT_LE(axis.first[i] + axis.count[i], from);
      const auto row = axis.weights.begin() + static_cast<std::ptrdiff_t>(i) * axis.taps;
      std::int64_t sum = 0;
      for (int t = 0; t < axis.count[i]; ++t) sum += row[t];
      ASSERT_NEAR(static_cast<double>(sum), 1 << 22, axis.taps);
    }
  }
  for (const int level : {0, 1, 127, 128, 254, 255}) {
    const std::vector<std::uint8_t> flat(37 * 23, static_cast<std::uint8_t>(level));
    for (const auto filter : {ResampleFilter::lanczos3, ResampleFilter::triangle}) {
      const auto result = resize(flat, {37, 23}, 1, whole(37, 16, filter), whole(23, 48, filter));
      EXPECT_EQ(result, std::vector<std::uint8_t>(16 * 48, static_cast<std::uint8_t>(level)));
    }
  }
}

// The cheaper order of passes differs by intermediate rounding only.
TEST(Resample, OrdersDifferByRounding) {
  for (const auto filter : {ResampleFilter::lanczos3, ResampleFilter::triangle}) {
    const auto pixels = random_bytes(160 * 90 * 4, 8);
    const auto one = resize(pixels, {160, 90}, 4, whole(160, 48, filter), whole(90, 32, filter));
    const auto other =
        resize(pixels, {160, 90}, 4, whole(160, 48, filter), whole(90, 32, filter), ResampleOrder::vertical_first);
    int largest = 0;
    for (std::size_t i = 0; i < one.size(); ++i) largest = std::max(largest, std::abs(one[i] - other[i]));
    EXPECT_LE(largest, 2);
  }
}

}  // namespace
}  // namespace padim::test
