// Weighted sums of 8-bit rows in 32-bit fixed point: 255 * 2^22 * (sum of absolute weights, below 1.6 for Lanczos)
// stays below 2^31. The SIMD version must equal the scalar one bit for bit.

#include "kernels/resample_kernel.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/resample_kernel.cpp"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace padim {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

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
  weighted_rows_scalar(input + i, stride, weights, count, length - i, output + i);
}

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

}  // namespace padim
#endif
