#pragma once

#include <cstddef>
#include <cstdint>

#include "image/resample.h"

namespace padim {

inline constexpr int kResampleBits = 22;  ///< fractional bits of the weights

/// output[i] = clip8(round(sum over t < count of weights[t] * input[t * stride + i])), i < length. SIMD, chosen at run
/// time.
void weighted_rows(const std::uint8_t* input, std::ptrdiff_t stride, const std::int32_t* weights, int count, int length,
                   std::uint8_t* output) noexcept;

/// The same, one sample at a time: what the SIMD version is tested against.
void weighted_rows_scalar(const std::uint8_t* input, std::ptrdiff_t stride, const std::int32_t* weights, int count,
                          int length, std::uint8_t* output) noexcept;

/// One row resampled along `axis`: output[i * channels + c]. One sample at a time: what the SIMD version is tested
/// against.
void weighted_columns(const std::uint8_t* input, int channels, const ResampleAxis& axis, std::uint8_t* output) noexcept;

inline constexpr int kColumnRows = 16;

/// The same for kColumnRows rows at once, of `row_bytes` bytes each, into tight rows. row_bytes and the bytes of an
/// output row must be 16 and more; `scratch` holds kColumnRows * (row_bytes + bytes of an output row). SIMD, chosen at
/// run time.
void weighted_columns_of_rows(const std::uint8_t* input, std::ptrdiff_t stride, int row_bytes, int channels,
                              const ResampleAxis& axis, std::uint8_t* scratch, std::uint8_t* output) noexcept;

}  // namespace padim
