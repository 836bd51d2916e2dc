// Products of many vectors at once, for what is scored by fits without some of their frames. Vectors are columns, so
// that lanes are vectors and no sum runs across lanes. Each tile of four rows by two SIMD vectors of columns is kept in
// registers over the whole inner dimension. Must match Eigen to float rounding.

#include "statistics/products_kernel.h"

#include <algorithm>

#include "base/half.h"
#include "base/packed_triangle.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "statistics/products_kernel.cpp"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace padim {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// out[row][column] = sum over k < depth of left[k * left_stride + row] * right[k * right_stride + column], for `kRows`
// rows and columns [0, columns).
template <int kRows>
void MultiplyRows(const float* left, int left_stride, const float* right, int right_stride, int depth, int columns,
                  float* out, int out_stride) {
  const hn::ScalableTag<float> tag;
  using V = hn::Vec<decltype(tag)>;
  const int lanes = static_cast<int>(hn::Lanes(tag));
  int j = 0;
  for (; j + 2 * lanes <= columns; j += 2 * lanes) {
    V sums[kRows][2];
    for (int r = 0; r < kRows; ++r) sums[r][0] = sums[r][1] = hn::Zero(tag);
    const float* l = left;
    const float* x = right + j;
    for (int k = 0; k < depth; ++k, l += left_stride, x += right_stride) {
      const V x0 = hn::LoadU(tag, x);
      const V x1 = hn::LoadU(tag, x + lanes);
      for (int r = 0; r < kRows; ++r) {
        const V value = hn::Set(tag, l[r]);
        sums[r][0] = hn::MulAdd(value, x0, sums[r][0]);
        sums[r][1] = hn::MulAdd(value, x1, sums[r][1]);
      }
    }
    for (int r = 0; r < kRows; ++r) {
      hn::StoreU(sums[r][0], tag, out + r * out_stride + j);
      hn::StoreU(sums[r][1], tag, out + r * out_stride + j + lanes);
    }
  }
  for (; j < columns; ++j) {
    float sums[kRows] = {};
    for (int k = 0; k < depth; ++k) {
      for (int r = 0; r < kRows; ++r) sums[r] += left[k * left_stride + r] * right[k * right_stride + j];
    }
    for (int r = 0; r < kRows; ++r) out[r * out_stride + j] = sums[r];
  }
}

// The same for any number of rows.
void Multiply(const float* left, int left_stride, int rows, const float* right, int right_stride, int depth,
              int columns, float* out, int out_stride) {
  int r = 0;
  for (; r + 4 <= rows; r += 4) {
    MultiplyRows<4>(left + r, left_stride, right, right_stride, depth, columns, out + r * out_stride, out_stride);
  }
  for (; r < rows; ++r) {
    MultiplyRows<1>(left + r, left_stride, right, right_stride, depth, columns, out + r * out_stride, out_stride);
  }
}

void MultiplyColumns(const float* a, const float* b, int d, int n, int m, float* products) {
  Multiply(a, n, n, b, m, d, m, products, m);
}

// A panel's rows, from its first column to the diagonal: [columns, kPanelRows], zeros above the diagonal.
const std::uint16_t* UnpackPanel(const std::uint16_t* packed, int first, int end, float* panel) {
  for (int column = 0; column < end; ++column) {
    float* rows = panel + column * kPanelRows;
    const int top = std::max(first, column);
    std::fill(rows, rows + (top - first), 0.0F);
    for (int row = top; row < end; ++row) rows[row - first] = half_to_float(*packed++);
  }
  return packed;
}

void WhitenVectors(const std::uint16_t* whitener, int d, const float* vectors, int n, float* scratch, float* whitened) {
  for (int first = 0; first < d; first += kPanelRows) {
    const int end = std::min(first + kPanelRows, d);
    whitener = UnpackPanel(whitener, first, end, scratch);
    Multiply(scratch, kPanelRows, end - first, vectors, n, end, n, whitened + first * n, n);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace padim
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace padim {

HWY_EXPORT(WhitenVectors);
HWY_EXPORT(MultiplyColumns);

void whiten_vectors(const std::uint16_t* whitener, int d, const float* vectors, int n, float* scratch,
                    float* whitened) noexcept {
  HWY_DYNAMIC_DISPATCH(WhitenVectors)(whitener, d, vectors, n, scratch, whitened);
}

void multiply_columns(const float* a, const float* b, int d, int n, int m, float* products) noexcept {
  HWY_DYNAMIC_DISPATCH(MultiplyColumns)(a, b, d, n, m, products);
}

}  // namespace padim
#endif
