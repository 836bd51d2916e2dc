// D^2 = ||W v||^2 with W the inverse Cholesky factor: 16 rows of W at a time, lanes are rows. Column j adds W[rows, j]
// * v[j] to the rows' sums, so no horizontal sum is needed before the very end, W is read once, strictly in order, and
// every further vector costs one multiply-add per column without another byte of W. Half precision halves the bytes,
// which is what bounds the speed: between two frames the network drives W out of the near caches, so it is fetched
// ahead. Columns on the diagonal are shorter: they are loaded so that lanes stay aligned with rows, and the lanes above
// the diagonal, which then hold the end of the column before, are masked. Must match the scalar version to float
// rounding.

#include "statistics/mahalanobis_kernel.h"

#include <algorithm>

#include "base/half.h"
#include "base/packed_triangle.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "statistics/mahalanobis_kernel.cpp"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace padim {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Tag = hn::CappedTag<float, kPanelRows>;
using HalfTag = hn::Rebind<hwy::float16_t, Tag>;
using V = hn::Vec<Tag>;

V LoadHalf(const std::uint16_t* from) {
  return hn::PromoteTo(Tag(), hn::LoadU(HalfTag(), reinterpret_cast<const hwy::float16_t*>(from)));
}

// Elements between what is fetched and what is used, 16 KiB: the hardware by itself stops at the end of each 4 KiB
// page.
constexpr int kPrefetched = 8192;

// Sums over the columns are kept in registers: `kCount` vectors of one block of rows.
template <int kCount>
struct Panel {
  // Sums of neighbouring columns that are kept apart: a multiply-add takes several cycles, but two start in each.
  static constexpr int kChains = kCount == 1 ? 4 : 2;

  const std::uint16_t* whitener;  // the panel's first element
  const float* vectors;
  int first;   // first row
  int height;  // rows, up to kPanelRows

  // Adds the squared sums of the rows [row, row + Lanes) of this panel to `squares`.
  void AddRows(int row, V (&squares)[kCount]) const {
    const Tag tag;
    V sums[kChains][kCount];
    for (int c = 0; c < kChains; ++c) {
      for (int k = 0; k < kCount; ++k) sums[c][k] = hn::Zero(tag);
    }
    const std::uint16_t* column = whitener + row;
    const float* v = vectors;
    const auto add = [&](V w, V(&sum)[kCount]) {
      for (int k = 0; k < kCount; ++k) sum[k] = hn::MulAdd(w, hn::Set(tag, v[k]), sum[k]);
      v += kCount;
    };
    int j = 0;
    for (; j + kChains <= first; j += kChains) {
      for (int c = 0; c < kChains; ++c, column += height) {
        hwy::Prefetch(column + kPrefetched);
        add(LoadHalf(column), sums[c]);
      }
    }
    for (; j < first; ++j, column += height) add(LoadHalf(column), sums[0]);
    const V rows = hn::Iota(tag, static_cast<float>(row));
    for (int c = 0; c < height; ++c) {
      // Column c of the diagonal starts at row c; minus c puts row `row` into lane 0 again.
      add(hn::IfThenElseZero(hn::Ge(rows, hn::Set(tag, static_cast<float>(c))), LoadHalf(column - c)), sums[0]);
      column += height - c;
    }
    const auto inside = hn::Lt(rows, hn::Set(tag, static_cast<float>(height)));
    for (int k = 0; k < kCount; ++k) {
      V sum = sums[0][k];
      for (int c = 1; c < kChains; ++c) sum = hn::Add(sum, sums[c][k]);
      sum = hn::IfThenElseZero(inside, sum);
      squares[k] = hn::MulAdd(sum, sum, squares[k]);
    }
  }
};

template <int kCount>
void SquareNorms(const std::uint16_t* whitener, int d, const float* vectors, float* norms) {
  const Tag tag;
  const int lanes = static_cast<int>(hn::Lanes(tag));
  V squares[kCount];
  for (int k = 0; k < kCount; ++k) squares[k] = hn::Zero(tag);
  for (int first = 0; first < d; first += kPanelRows) {
    const Panel<kCount> panel{whitener + panel_start(first), vectors, first, std::min(kPanelRows, d - first)};
    for (int row = 0; row < panel.height; row += lanes) panel.AddRows(row, squares);
  }
  for (int k = 0; k < kCount; ++k) norms[k] = hn::GetLane(hn::SumOfLanes(tag, squares[k]));
}

void WhitenedSquareNorms(const std::uint16_t* whitener, int d, const float* vectors, int count, float* norms) {
  switch (count) {
    case 1:
      return SquareNorms<1>(whitener, d, vectors, norms);
    case 2:
      return SquareNorms<2>(whitener, d, vectors, norms);
    case 3:
      return SquareNorms<3>(whitener, d, vectors, norms);
    case 4:
      return SquareNorms<4>(whitener, d, vectors, norms);
    case 5:
      return SquareNorms<5>(whitener, d, vectors, norms);
    case 6:
      return SquareNorms<6>(whitener, d, vectors, norms);
    case 7:
      return SquareNorms<7>(whitener, d, vectors, norms);
    case 8:
      return SquareNorms<8>(whitener, d, vectors, norms);
    default:
      return SquareNorms<kMaximumVectors>(whitener, d, vectors, norms);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace padim
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace padim {

HWY_EXPORT(WhitenedSquareNorms);

void whitened_square_norms(const std::uint16_t* whitener, int d, const float* vectors, int count,
                           float* norms) noexcept {
  HWY_DYNAMIC_DISPATCH(WhitenedSquareNorms)(whitener, d, vectors, count, norms);
}

void whitened_square_norms_scalar(const std::uint16_t* whitener, int d, const float* vectors, int count,
                                  float* norms) noexcept {
  std::fill(norms, norms + count, 0.0F);
  for (int first = 0; first < d; first += kPanelRows) {
    const int end = std::min(first + kPanelRows, d);
    float sums[kPanelRows][kMaximumVectors] = {};
    for (int j = 0; j < end; ++j) {
      for (int i = std::max(first, j); i < end; ++i) {
        const float w = half_to_float(*whitener++);
        for (int k = 0; k < count; ++k) sums[i - first][k] += w * vectors[j * count + k];
      }
    }
    for (int i = 0; i < end - first; ++i) {
      for (int k = 0; k < count; ++k) norms[k] += sums[i][k] * sums[i][k];
    }
  }
}

}  // namespace padim
#endif
