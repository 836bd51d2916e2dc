#pragma once

#include <cstddef>
#include <cstdint>

#include "base/packed_triangle.h"

namespace padim {

/// M += C^T C on the lower triangle: comoment packed by rows (kTrianglePadding elements must follow it), C [rows, d].
/// SIMD, chosen at run time.
void add_outer_products(const float* centered, int rows, int d, float* comoment) noexcept;

/// The same in plain loops: what the SIMD version is tested against.
void add_outer_products_scalar(const float* centered, int rows, int d, float* comoment) noexcept;

/// Doubles that whiten() needs as its scratch: the triangle in whole blocks.
[[nodiscard]] constexpr std::size_t whitening_scratch(int d) {
  return static_cast<std::size_t>(kPanelRows) * kPanelRows * triangle_size((d + kPanelRows - 1) / kPanelRows);
}

/// Whitens one position: Sigma = scale * comoment + prior + epsilon * I = L L^T, W = L^-1 in half precision, packed in
/// panels of 16 rows (see mahalanobis_kernel.h). comoment, prior: packed lower triangles by rows; prior: nullptr for
/// none. `scratch` holds whitening_scratch(d) doubles. Returns false where Sigma is not positive definite or W does not
/// fit half precision; `whitener` is then undefined. Double precision, SIMD, chosen at run time.
[[nodiscard]] bool whiten(const float* comoment, const double* prior, int d, double scale, double epsilon,
                          double* scratch, std::uint16_t* whitener) noexcept;

}  // namespace padim
