#pragma once

#include <cstdint>

namespace padim {

/// Most vectors that one call whitens.
inline constexpr int kMaximumVectors = 9;

/// Squared norms ||W v||^2 for `count` vectors and one position's whitener W.
/// whitener: half precision, lower triangle in panels of 16 rows: panel by panel, column by column, each column holding
/// the panel's rows from the diagonal down; up to 15 elements past its end are read and ignored. vectors: [d, count],
/// interleaved, so that one column of W meets `count` neighbouring numbers. count: 1..kMaximumVectors. SIMD, chosen at
/// run time.
void whitened_square_norms(const std::uint16_t* whitener, int d, const float* vectors, int count,
                           float* norms) noexcept;

/// The same, element by element in float: what the SIMD version is tested against.
void whitened_square_norms_scalar(const std::uint16_t* whitener, int d, const float* vectors, int count,
                                  float* norms) noexcept;

}  // namespace padim
