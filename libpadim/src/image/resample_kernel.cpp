// Weighted sums of 8-bit rows in 32-bit fixed point: 255 * 2^22 * (sum of absolute weights, below 1.6 for Lanczos)
// stays below 2^31. Sums along a row go 16 rows at a time: transposed, they are sums of rows again. The SIMD versions
// must equal the scalar ones bit for bit.

#include "image/resample_kernel.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "image/resample_kernel.cpp"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace padim {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Bytes between what is fetched and what is used: the walk goes down the rows, a line of cache from each.
constexpr int kPrefetched = 512;

void WeightedRows(const std::uint8_t* input, std::ptrdiff_t stride, const std::int32_t* weights, int count, int length,
                  std::uint8_t* output) {
  const hn::ScalableTag<std::int32_t> d32;
  const hn::Rebind<std::uint8_t, decltype(d32)> d8;
  const int lanes = static_cast<int>(hn::Lanes(d32));
  const auto half = hn::Set(d32, 1 << (kResampleBits - 1));
  int i = 0;
  for (; i + 4 * lanes <= length; i += 4 * lanes) {
    auto sum0 = half;
    auto sum1 = half;
    auto sum2 = half;
    auto sum3 = half;
    const std::uint8_t* from = input + i;
    for (int t = 0; t < count; ++t, from += stride) {
      hwy::Prefetch(from + kPrefetched);
      const auto weight = hn::Set(d32, weights[t]);
      sum0 = hn::Add(sum0, hn::Mul(weight, hn::PromoteTo(d32, hn::LoadU(d8, from))));
      sum1 = hn::Add(sum1, hn::Mul(weight, hn::PromoteTo(d32, hn::LoadU(d8, from + lanes))));
      sum2 = hn::Add(sum2, hn::Mul(weight, hn::PromoteTo(d32, hn::LoadU(d8, from + 2 * lanes))));
      sum3 = hn::Add(sum3, hn::Mul(weight, hn::PromoteTo(d32, hn::LoadU(d8, from + 3 * lanes))));
    }
    hn::StoreU(hn::DemoteTo(d8, hn::ShiftRight<kResampleBits>(sum0)), d8, output + i);
    hn::StoreU(hn::DemoteTo(d8, hn::ShiftRight<kResampleBits>(sum1)), d8, output + i + lanes);
    hn::StoreU(hn::DemoteTo(d8, hn::ShiftRight<kResampleBits>(sum2)), d8, output + i + 2 * lanes);
    hn::StoreU(hn::DemoteTo(d8, hn::ShiftRight<kResampleBits>(sum3)), d8, output + i + 3 * lanes);
  }
  for (; i + lanes <= length; i += lanes) {
    auto sum = half;
    const std::uint8_t* from = input + i;
    for (int t = 0; t < count; ++t, from += stride) {
      sum = hn::Add(sum, hn::Mul(hn::Set(d32, weights[t]), hn::PromoteTo(d32, hn::LoadU(d8, from))));
    }
    hn::StoreU(hn::DemoteTo(d8, hn::ShiftRight<kResampleBits>(sum)), d8, output + i);
  }
  weighted_rows_scalar(input + i, stride, weights, count, length - i, output + i);
}

#if HWY_TARGET == HWY_SCALAR
void WeightedColumnsOfRows(const std::uint8_t* input, std::ptrdiff_t stride, int, int channels,
                           const ResampleAxis& axis, std::uint8_t*, std::uint8_t* output) {
  const std::size_t row = axis.first.size() * static_cast<std::size_t>(channels);
  for (int y = 0; y < kColumnRows; ++y, output += row) weighted_columns(input + y * stride, channels, axis, output);
}
#else

// output[j * output_stride + i] = input[i * input_stride + j], i, j < 16: each of four rounds interleaves the first
// half of the rows with the second.
void Transpose(const std::uint8_t* input, std::ptrdiff_t input_stride, std::uint8_t* output,
               std::ptrdiff_t output_stride) {
  const hn::FixedTag<std::uint8_t, 16> d;
  hn::Vec<decltype(d)> rows[16];
  hn::Vec<decltype(d)> mixed[16];
  for (int i = 0; i < 16; ++i) rows[i] = hn::LoadU(d, input + i * input_stride);
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 8; ++i) {
      mixed[2 * i] = hn::InterleaveLower(d, rows[i], rows[i + 8]);
      mixed[2 * i + 1] = hn::InterleaveUpper(d, rows[i], rows[i + 8]);
    }
    for (int i = 0; i < 16; ++i) rows[i] = mixed[i];
  }
  for (int i = 0; i < 16; ++i) hn::StoreU(rows[i], d, output + i * output_stride);
}

// Calls block(first) for 16 neighbours at a time of [0, length), length >= 16; the last ones may overlap those before.
template <class Block>
void ForBlocks(int length, const Block& block) {
  for (int i = 0; i + 16 <= length; i += 16) block(i);
  if (length % 16 != 0) block(length - 16);
}

void WeightedColumnsOfRows(const std::uint8_t* input, std::ptrdiff_t stride, int row_bytes, int channels,
                           const ResampleAxis& axis, std::uint8_t* scratch, std::uint8_t* output) {
  const int output_bytes = static_cast<int>(axis.first.size()) * channels;
  std::uint8_t* columns = scratch;
  std::uint8_t* sums = scratch + static_cast<std::ptrdiff_t>(row_bytes) * kColumnRows;
  ForBlocks(row_bytes, [&](int i) { Transpose(input + i, stride, columns + i * kColumnRows, kColumnRows); });
  for (std::size_t i = 0; i < axis.first.size(); ++i) {
    const std::int32_t* weights = axis.weights.data() + i * static_cast<std::size_t>(axis.taps);
    for (int c = 0; c < channels; ++c, sums += kColumnRows) {
      WeightedRows(columns + (axis.first[i] * channels + c) * kColumnRows, kColumnRows * channels, weights,
                   axis.count[i], kColumnRows, sums);
    }
  }
  sums -= static_cast<std::ptrdiff_t>(output_bytes) * kColumnRows;
  ForBlocks(output_bytes, [&](int i) { Transpose(sums + i * kColumnRows, kColumnRows, output + i, output_bytes); });
}
#endif

}  // namespace HWY_NAMESPACE
}  // namespace padim
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace padim {
namespace {

std::uint8_t clip8(std::int32_t sum) { return static_cast<std::uint8_t>(std::clamp(sum >> kResampleBits, 0, 255)); }

template <int kChannels>
void columns(const std::uint8_t* input, const ResampleAxis& axis, std::uint8_t* output) {
  const std::size_t length = axis.first.size();
  for (std::size_t i = 0; i < length; ++i) {
    const std::int32_t* weights = axis.weights.data() + i * static_cast<std::size_t>(axis.taps);
    const std::uint8_t* from = input + static_cast<std::ptrdiff_t>(axis.first[i]) * kChannels;
    std::int32_t sums[kChannels];
    for (int c = 0; c < kChannels; ++c) sums[c] = 1 << (kResampleBits - 1);
    for (int t = 0; t < axis.count[i]; ++t) {
      for (int c = 0; c < kChannels; ++c) sums[c] += weights[t] * from[t * kChannels + c];
    }
    for (int c = 0; c < kChannels; ++c) output[i * kChannels + static_cast<std::size_t>(c)] = clip8(sums[c]);
  }
}

}  // namespace

HWY_EXPORT(WeightedRows);
HWY_EXPORT(WeightedColumnsOfRows);

void weighted_rows(const std::uint8_t* input, std::ptrdiff_t stride, const std::int32_t* weights, int count, int length,
                   std::uint8_t* output) noexcept {
  HWY_DYNAMIC_DISPATCH(WeightedRows)(input, stride, weights, count, length, output);
}

void weighted_rows_scalar(const std::uint8_t* input, std::ptrdiff_t stride, const std::int32_t* weights, int count,
                          int length, std::uint8_t* output) noexcept {
  for (int i = 0; i < length; ++i) {
    std::int32_t sum = 1 << (kResampleBits - 1);
    for (int t = 0; t < count; ++t) sum += weights[t] * input[t * stride + i];
    output[i] = clip8(sum);
  }
}

void weighted_columns(const std::uint8_t* input, int channels, const ResampleAxis& axis,
                      std::uint8_t* output) noexcept {
  switch (channels) {
    case 1:
      columns<1>(input, axis, output);
      break;
    case 2:
      columns<2>(input, axis, output);
      break;
    case 3:
      columns<3>(input, axis, output);
      break;
    default:
      columns<4>(input, axis, output);
      break;
  }
}

void weighted_columns_of_rows(const std::uint8_t* input, std::ptrdiff_t stride, int row_bytes, int channels,
                              const ResampleAxis& axis, std::uint8_t* scratch, std::uint8_t* output) noexcept {
  HWY_DYNAMIC_DISPATCH(WeightedColumnsOfRows)(input, stride, row_bytes, channels, axis, scratch, output);
}

}  // namespace padim
#endif
