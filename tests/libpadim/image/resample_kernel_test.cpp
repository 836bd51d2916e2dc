#include "image/resample_kernel.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "highway_targets.h"
#include "random_numbers.h"

namespace padim::test {
namespace {

constexpr std::uint8_t kGuard = 0xa5;

// Both versions on `count` rows that lie `stride` bytes apart, with guards behind the output.
void compare(const std::vector<std::uint8_t>& rows, std::ptrdiff_t stride, const std::vector<std::int32_t>& weights,
             int length) {
  const int count = static_cast<int>(weights.size());
  const std::uint8_t* first = stride >= 0 ? rows.data() : rows.data() - stride * (count - 1);
  std::vector<std::uint8_t> simd(static_cast<std::size_t>(length) + 64, kGuard);
  std::vector<std::uint8_t> scalar = simd;
  weighted_rows(first, stride, weights.data(), count, length, simd.data());
  weighted_rows_scalar(first, stride, weights.data(), count, length, scalar.data());
  ASSERT_EQ(simd, scalar) << "length " << length << ", count " << count << ", stride " << stride;
}

// Weights that sum to one, some negative, as Lanczos makes them.
std::vector<std::int32_t> lanczos_like(int count, std::uint32_t seed) {
  std::mt19937 generator(seed);
  std::vector<std::int32_t> weights(static_cast<std::size_t>(count));
  std::int32_t rest = 1 << kResampleBits;
  for (std::size_t i = 0; i + 1 < weights.size(); ++i) {
    weights[i] = random_int(generator, -(1 << 20) / count, (1 << 23) / count / 2);
    rest -= weights[i];
  }
  weights.back() = rest;
  return weights;
}

// Every length from 0 to several vectors, tight and padded and negative strides: bit for bit.
TEST(WeightedRows, EqualsTheScalarTwin) {
  for_each_target([] {
    for (int length = 0; length <= 300; ++length) {
      for (const int count : {1, 2, 7}) {
        for (const int padding : {0, 13}) {
          const int stride = length + padding;
          const auto rows =
              random_bytes(static_cast<std::size_t>(std::max(stride * count, 1)), static_cast<std::uint32_t>(length));
          const auto weights = lanczos_like(count, static_cast<std::uint32_t>(count));
          compare(rows, stride, weights, length);
          compare(rows, -stride, weights, length);
        }
      }
    }
  });
}

// Results below 0 and above 255 are clipped, not wrapped; rounding is half up at every level.
TEST(WeightedRows, ClipsAndRounds) {
  constexpr std::int32_t kOne = 1 << kResampleBits;
  const struct {
    std::vector<std::uint8_t> rows;
    std::vector<std::int32_t> weights;
    std::uint8_t expected;
  } cases[] = {
      {{255, 255}, {kOne, kOne / 4}, 255},
      {{255, 0}, {-kOne / 4, kOne}, 0},
      {{0, 255}, {-kOne / 3, kOne + kOne / 3}, 255},
      {{7}, {kOne / 2}, 4},
      {{5, 6}, {kOne / 2, kOne / 2}, 6},
      {{255}, {kOne}, 255},
      {{1}, {kOne / 2 - 1}, 0},
      {{200}, {0}, 0},
  };
  for_each_target([&] {
    for (const auto& c : cases) {
      for (const int length : {1, 3, 200}) {
        std::vector<std::uint8_t> rows;
        for (const std::uint8_t level : c.rows) rows.insert(rows.end(), static_cast<std::size_t>(length), level);
        std::vector<std::uint8_t> output(static_cast<std::size_t>(length));
        weighted_rows(rows.data(), length, c.weights.data(), static_cast<int>(c.weights.size()), length, output.data());
        EXPECT_EQ(output, std::vector<std::uint8_t>(static_cast<std::size_t>(length), c.expected));
      }
    }
  });
}

// One row resampled along an axis equals the weighted sum of each output's pixels, channel by channel.
TEST(WeightedColumns, EqualsAPlainSum) {
  std::mt19937 generator(31);
  for (int round = 0; round < 200; ++round) {
    const int input = random_int(generator, 1, 90);
    const int output = random_int(generator, 1, 60);
    const auto filter = round % 2 == 0 ? ResampleFilter::triangle : ResampleFilter::lanczos3;
    const ResampleAxis axis = make_resample_axis(input, 0, input, output, 0, output, filter);
    for (int channels = 1; channels <= 4; ++channels) {
      const auto row = random_bytes(static_cast<std::size_t>(input * channels), static_cast<std::uint32_t>(round));
      std::vector<std::uint8_t> result(static_cast<std::size_t>(output * channels) + 1, kGuard);
      weighted_columns(row.data(), channels, axis, result.data());
      EXPECT_EQ(result.back(), kGuard);
      for (int i = 0; i < output; ++i) {
        const auto at = static_cast<std::size_t>(i);
        for (int c = 0; c < channels; ++c) {
          std::int64_t sum = 1 << (kResampleBits - 1);
          for (int t = 0; t < axis.count[at]; ++t) {
            sum += std::int64_t{axis.weights[at * static_cast<std::size_t>(axis.taps) + static_cast<std::size_t>(t)]} *
                   row[static_cast<std::size_t>((axis.first[at] + t) * channels + c)];
          }
          const auto expected = std::clamp<std::int64_t>(sum >> kResampleBits, 0, 255);
          ASSERT_EQ(result[static_cast<std::size_t>(i * channels + c)], expected) << input << " to " << output;
        }
      }
    }
  }
}

// Sixteen rows at once equal the single rows bit for bit, whatever the widths, channels and strides.
TEST(WeightedColumns, OfRowsEqualTheSingleRows) {
  for_each_target([] {
    std::mt19937 generator(32);
    for (int round = 0; round < 100; ++round) {
      const int channels = random_int(generator, 1, 4);
      const int input = random_int(generator, 16, 150);
      const int output = random_int(generator, 16, 70);
      const auto filter = round % 2 == 0 ? ResampleFilter::triangle : ResampleFilter::lanczos3;
      const ResampleAxis axis = make_resample_axis(input, 0, input, output, 0, output, filter);
      const int row_bytes = input * channels;
      const int output_bytes = output * channels;
      const int stride = row_bytes + random_int(generator, 0, 20);
      const auto rows = random_bytes(static_cast<std::size_t>(stride * kColumnRows), static_cast<std::uint32_t>(round));
      std::vector<std::uint8_t> scratch(static_cast<std::size_t>((row_bytes + output_bytes) * kColumnRows) + 1, kGuard);
      std::vector<std::uint8_t> simd(static_cast<std::size_t>(output_bytes * kColumnRows) + 1, kGuard);
      std::vector<std::uint8_t> scalar = simd;
      for (const int step : {stride, -stride}) {
        const std::uint8_t* first = step > 0 ? rows.data() : rows.data() + stride * (kColumnRows - 1);
        weighted_columns_of_rows(first, step, row_bytes, channels, axis, scratch.data(), simd.data());
        for (int y = 0; y < kColumnRows; ++y) {
          weighted_columns(first + y * step, channels, axis, scalar.data() + y * output_bytes);
        }
        ASSERT_EQ(simd, scalar) << input << " to " << output << ", " << channels << " channels";
        ASSERT_EQ(scratch.back(), kGuard);
      }
    }
  });
}

}  // namespace
}  // namespace padim::test
