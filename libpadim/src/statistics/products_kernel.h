#pragma once

#include <cstdint>

namespace padim {

/// The whitened vectors V = W X. whitener: as in mahalanobis_kernel.h. vectors, whitened: [d, n], a vector per column.
/// scratch: d * kPanelRows floats. SIMD, chosen at run time.
void whiten_vectors(const std::uint16_t* whitener, int d, const float* vectors, int n, float* scratch,
                    float* whitened) noexcept;

/// products = A^T B, [n, m], for a: [d, n], b: [d, m]: the products of all columns of one with all of the other. SIMD,
/// chosen at run time.
void multiply_columns(const float* a, const float* b, int d, int n, int m, float* products) noexcept;

}  // namespace padim
