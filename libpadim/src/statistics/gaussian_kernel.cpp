// The two costly steps of the statistics.
// Co-moment: M += C^T C, four rows of M at a time so that each load of C serves four products (bound by reading and
// writing M). Whitening: Cholesky L by rows, L_ij = (S_ij - L_i . L_j) / L_jj, then W = L^-1 by rows, W_i = (e_i -
// sum_k<i L_ik W_k) / L_ii; double precision, because small epsilons make Sigma ill-conditioned. Rows of packed
// triangles are contiguous, so that all inner loops are unit-stride dot products and axpys. Must match Eigen's LLT in
// double precision to half-precision rounding.

#include "statistics/gaussian_kernel.h"

#include <algorithm>
#include <cmath>

#include "base/half.h"
#include "base/packed_triangle.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "statistics/gaussian_kernel.cpp"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace padim {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Elements of M between what is fetched and what is added to, 16 KiB: M comes from memory.
constexpr int kPrefetched = 4096;

// Adds to kRows rows of M, from row `first` on.
template <int kRows>
void AddToRows(const float* centered, int rows, int d, int first, float* comoment) {
  const hn::ScalableTag<float> tag;
  using V = hn::Vec<decltype(tag)>;
  const int lanes = static_cast<int>(hn::Lanes(tag));
  float* out[kRows];
  for (int k = 0; k < kRows; ++k) out[k] = comoment + triangle_row(first + k);
  const auto sums = [&](int j, V(&sum)[kRows]) {
    for (int r = 0; r < rows; ++r) {
      const float* c = centered + static_cast<std::size_t>(r) * static_cast<std::size_t>(d);
      const V column = hn::LoadU(tag, c + j);
      for (int k = 0; k < kRows; ++k) sum[k] = hn::MulAdd(hn::Set(tag, c[first + k]), column, sum[k]);
    }
  };
  int j = 0;
  for (; j + lanes <= first + 1; j += lanes) {
    V sum[kRows];
    for (int k = 0; k < kRows; ++k) hwy::Prefetch(out[k] + j + kPrefetched);
    for (int k = 0; k < kRows; ++k) sum[k] = hn::LoadU(tag, out[k] + j);
    sums(j, sum);
    for (int k = 0; k < kRows; ++k) hn::StoreU(sum[k], tag, out[k] + j);
  }
  for (; j < first + kRows; ++j) {
    for (int k = 0; k < kRows; ++k) {
      if (j > first + k) continue;
      float sum = 0;
      for (int r = 0; r < rows; ++r) {
        const float* c = centered + static_cast<std::size_t>(r) * static_cast<std::size_t>(d);
        sum += c[first + k] * c[j];
      }
      out[k][j] += sum;
    }
  }
}

void AddOuterProducts(const float* centered, int rows, int d, float* comoment) {
  int i = 0;
  for (; i + 4 <= d; i += 4) AddToRows<4>(centered, rows, d, i, comoment);
  for (; i < d; ++i) AddToRows<1>(centered, rows, d, i, comoment);
}

double Dot(const double* a, const double* b, int n) {
  const hn::ScalableTag<double> tag;
  const int lanes = static_cast<int>(hn::Lanes(tag));
  auto sum0 = hn::Zero(tag);
  auto sum1 = hn::Zero(tag);
  int i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    sum0 = hn::MulAdd(hn::LoadU(tag, a + i), hn::LoadU(tag, b + i), sum0);
    sum1 = hn::MulAdd(hn::LoadU(tag, a + i + lanes), hn::LoadU(tag, b + i + lanes), sum1);
  }
  double sum = hn::GetLane(hn::SumOfLanes(tag, hn::Add(sum0, sum1)));
  for (; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

// y -= a * x
void SubtractScaled(double a, const double* x, int n, double* y) {
  const hn::ScalableTag<double> tag;
  const int lanes = static_cast<int>(hn::Lanes(tag));
  const auto factor = hn::Set(tag, a);
  int i = 0;
  for (; i + lanes <= n; i += lanes) {
    hn::StoreU(hn::NegMulAdd(factor, hn::LoadU(tag, x + i), hn::LoadU(tag, y + i)), tag, y + i);
  }
  for (; i < n; ++i) y[i] -= a * x[i];
}

// Sigma, packed by rows.
void Covariance(const float* comoment, const double* prior, int d, double scale, double epsilon, double* sigma) {
  const std::size_t size = triangle_size(d);
  for (std::size_t k = 0; k < size; ++k) sigma[k] = scale * static_cast<double>(comoment[k]);
  if (prior != nullptr) {
    for (std::size_t k = 0; k < size; ++k) sigma[k] += prior[k];
  }
  for (int i = 0; i < d; ++i) sigma[triangle_row(i) + static_cast<std::size_t>(i)] += epsilon;
}

// In place.
bool Cholesky(int d, double* factor) {
  for (int i = 0; i < d; ++i) {
    double* row = factor + triangle_row(i);
    for (int j = 0; j < i; ++j) {
      const double* other = factor + triangle_row(j);
      row[j] = (row[j] - Dot(row, other, j)) / other[j];
    }
    const double pivot = row[i] - Dot(row, row, i);
    if (!(pivot > 0 && std::isfinite(pivot))) return false;  // an overflowed variance would whiten to silence
    row[i] = std::sqrt(pivot);
  }
  return true;
}

void InvertTriangle(const double* factor, int d, double* inverse) {
  for (int i = 0; i < d; ++i) {
    const double* l = factor + triangle_row(i);
    double* row = inverse + triangle_row(i);
    for (int j = 0; j < i; ++j) row[j] = 0;
    for (int k = 0; k < i; ++k) SubtractScaled(l[k], inverse + triangle_row(k), k + 1, row);
    const double reciprocal = 1 / l[i];
    for (int j = 0; j < i; ++j) row[j] *= reciprocal;
    row[i] = reciprocal;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace padim
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace padim {
namespace {

HWY_EXPORT(AddOuterProducts);
HWY_EXPORT(Covariance);
HWY_EXPORT(Cholesky);
HWY_EXPORT(InvertTriangle);

// Rows in panels of 16: column by column, each column from the panel's first row or the diagonal down.
bool pack_panels(const double* inverse, int d, std::uint16_t* whitener) {
  constexpr double kLargestHalf = 65504;
  for (int first = 0; first < d; first += kPanelRows) {
    const int end = std::min(first + kPanelRows, d);
    for (int j = 0; j < end; ++j) {
      for (int i = std::max(first, j); i < end; ++i) {
        const double value = inverse[triangle_row(i) + static_cast<std::size_t>(j)];
        if (!(std::abs(value) <= kLargestHalf)) return false;
        *whitener++ = float_to_half(static_cast<float>(value));
      }
    }
  }
  return true;
}

}  // namespace

void add_outer_products(const float* centered, int rows, int d, float* comoment) noexcept {
  HWY_DYNAMIC_DISPATCH(AddOuterProducts)(centered, rows, d, comoment);
}

void add_outer_products_scalar(const float* centered, int rows, int d, float* comoment) noexcept {
  for (int i = 0; i < d; ++i) {
    for (int j = 0; j <= i; ++j) {
      float sum = 0;
      for (int r = 0; r < rows; ++r) sum += centered[r * d + i] * centered[r * d + j];
      comoment[triangle_row(i) + static_cast<std::size_t>(j)] += sum;
    }
  }
}

bool whiten(const float* comoment, const double* prior, int d, double scale, double epsilon, double* scratch,
            std::uint16_t* whitener) noexcept {
  double* inverse = scratch + triangle_size(d);
  HWY_DYNAMIC_DISPATCH(Covariance)(comoment, prior, d, scale, epsilon, scratch);
  if (!HWY_DYNAMIC_DISPATCH(Cholesky)(d, scratch)) return false;
  HWY_DYNAMIC_DISPATCH(InvertTriangle)(scratch, d, inverse);
  return pack_panels(inverse, d, whitener);
}

}  // namespace padim
#endif
