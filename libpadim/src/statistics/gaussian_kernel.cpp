// The two costly steps of the statistics.
// Co-moment: M += C^T C, four rows of M at a time so that each load of C serves four products (bound by reading and
// writing M). Whitening, in blocks of 16 x 16: Cholesky L by rows of blocks, L_ij = (S_ij - sum_k<j L_ik L_jk^T)
// L_jj^-T, then W = L^-1 in its place, W_ij = -L_ii^-1 sum_j<=k<i L_ik W_kj. Only the inverses of the diagonal blocks
// are needed, so that all else is products of blocks, which registers hold in tiles (bound by multiply-adds). Double
// precision, because small epsilons make Sigma ill-conditioned. Must match Eigen's LLT in double precision to
// half-precision rounding.

#include "statistics/gaussian_kernel.h"

#include <algorithm>
#include <cmath>

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

// Whitening. L and later W are kept in panels of kSide rows like the packed whitener, but of whole blocks, each column
// by column. Rows beyond d are those of an identity.
constexpr int kSide = kPanelRows;
constexpr int kBlock = kSide * kSide;

// Blocks of a row that are multiplied before the next ones: with their factors, 16 KiB, they stay in the first cache.
constexpr int kBlocksAtOnce = 4;

using Lane = hn::CappedTag<double, kSide / 2>;
using Vector = hn::Vec<Lane>;
constexpr int kLanes = static_cast<int>(hn::MaxLanes(Lane()));

// What the registers hold of a product of blocks.
constexpr int kTileRows = 2 * kLanes;
constexpr int kTileColumns = 4;

double* BlockAt(double* panels, int i, int j) {
  return panels + kBlock * (triangle_row(i) + static_cast<std::size_t>(j));
}

// A tile of sums of products.
class Tile {
 public:
  HWY_INLINE Tile() {  // not implicit: GCC compiles what is implicit without the target's instructions
    for (int c = 0; c < kTileColumns; ++c) upper_[c] = lower_[c] = hn::Zero(Lane());
  }

  // += A B: A's columns lie kSide apart, B's element (k, c) is b[kAlong * k + kAcross * c].
  template <int kAlong, int kAcross>
  HWY_INLINE void AddProduct(const double* a, const double* b, int depth) {
    for (int k = 0; k < depth; ++k, a += kSide, b += kAlong) {
      const Vector upper = hn::LoadU(Lane(), a);
      const Vector lower = hn::LoadU(Lane(), a + kLanes);
      for (int c = 0; c < kTileColumns; ++c) {
        const Vector factor = hn::Set(Lane(), b[kAcross * c]);
        upper_[c] = hn::MulAdd(upper, factor, upper_[c]);
        lower_[c] = hn::MulAdd(lower, factor, lower_[c]);
      }
    }
  }

  HWY_INLINE void Store(double* out) const {
    for (int c = 0; c < kTileColumns; ++c, out += kSide) StoreColumn(upper_[c], lower_[c], out);
  }

  HWY_INLINE void StoreNegated(double* out) const {
    for (int c = 0; c < kTileColumns; ++c, out += kSide) StoreColumn(hn::Neg(upper_[c]), hn::Neg(lower_[c]), out);
  }

  HWY_INLINE void SubtractFrom(double* out) const {
    for (int c = 0; c < kTileColumns; ++c, out += kSide) {
      StoreColumn(hn::Sub(hn::LoadU(Lane(), out), upper_[c]), hn::Sub(hn::LoadU(Lane(), out + kLanes), lower_[c]), out);
    }
  }

 private:
  static HWY_INLINE void StoreColumn(Vector upper, Vector lower, double* out) {
    hn::StoreU(upper, Lane(), out);
    hn::StoreU(lower, Lane(), out + kLanes);
  }

  Vector upper_[kTileColumns];
  Vector lower_[kTileColumns];
};

void LoadRow(const float* comoment, const double* prior, int i, double scale, double* out) {
  comoment += triangle_row(i);
  for (int j = 0; j <= i; ++j) out[kSide * j] = scale * static_cast<double>(comoment[j]);
  if (prior == nullptr) return;
  prior += triangle_row(i);
  for (int j = 0; j <= i; ++j) out[kSide * j] += prior[j];
}

// The lower triangle of Sigma; what lies above it in the diagonal blocks is not read.
void LoadSigma(const float* comoment, const double* prior, int d, double scale, double epsilon, double* panels) {
  const int rows = (d + kSide - 1) / kSide * kSide;
  for (int i = 0; i < rows; ++i) {
    double* out = BlockAt(panels, i / kSide, 0) + i % kSide;
    if (i < d) {
      LoadRow(comoment, prior, i, scale, out);
      out[kSide * i] += epsilon;
    } else {
      for (int j = 0; j < i; ++j) out[kSide * j] = 0;
      out[kSide * i] = 1;
    }
  }
}

// S_ij -= L_i L_j^T, of the columns from `from`, `depth` of them.
void SubtractProducts(double* panels, int i, int j, int from, int depth) {
  const double* left = BlockAt(panels, i, 0) + kSide * from;
  const double* right = BlockAt(panels, j, 0) + kSide * from;
  for (int row = 0; row < kSide; row += kTileRows) {
    const int columns = i == j ? std::min(row + kTileRows, kSide) : kSide;
    for (int column = 0; column < columns; column += kTileColumns) {
      Tile tile;
      tile.AddProduct<kSide, 1>(left + row, right + column, depth);
      tile.SubtractFrom(BlockAt(panels, i, j) + row + kSide * column);
    }
  }
}

// S_ij -= sum_k<j L_ik L_jk^T
void SubtractProducts(double* panels, int i, int j) {
  constexpr int kDepth = kSide * kBlocksAtOnce;
  for (int k = 0; k < kSide * j; k += kDepth) SubtractProducts(panels, i, j, k, std::min(kDepth, kSide * j - k));
}

// X = X L^-T, from the right, so that no column is overwritten before its last use.
void DivideByFactor(const double* inverse, double* x) {
  for (int row = 0; row < kSide; row += kTileRows) {
    for (int column = kSide - kTileColumns; column >= 0; column -= kTileColumns) {
      Tile tile;
      tile.AddProduct<kSide, 1>(x + row, inverse + column, column + kTileColumns);
      tile.Store(x + row + kSide * column);
    }
  }
}

// y -= a x
HWY_INLINE void SubtractScaled(double a, const double* x, double* y) {
  const Vector factor = hn::Set(Lane(), a);
  for (int i = 0; i < kSide; i += kLanes) {
    hn::StoreU(hn::NegMulAdd(factor, hn::LoadU(Lane(), x + i), hn::LoadU(Lane(), y + i)), Lane(), y + i);
  }
}

// out = a x
HWY_INLINE void Scale(double a, const double* x, double* out) {
  for (int i = 0; i < kSide; i += kLanes) {
    hn::StoreU(hn::Mul(hn::Set(Lane(), a), hn::LoadU(Lane(), x + i)), Lane(), out + i);
  }
}

// block = U diag(pivots) U^T, U unit lower triangular; `block` is overwritten.
bool FactorBlock(double* block, double* unit, double* pivots) {
  for (int c = 0; c < kSide; ++c) {
    const double* column = block + kSide * c;
    const double pivot = column[c];
    if (!(pivot > 0 && std::isfinite(pivot))) return false;  // an overflowed variance would whiten to silence
    pivots[c] = pivot;
    Scale(1 / pivot, column, unit + kSide * c);
    for (int other = c + 1; other < kSide; ++other) {
      SubtractScaled(column[other], unit + kSide * c, block + kSide * other);
    }
  }
  return true;
}

// block = L L^T becomes L^-1 = diag(pivots)^-1/2 U^-1.
bool InvertDiagonalBlock(double* block) {
  double unit[kBlock];
  double pivots[kSide];
  if (!FactorBlock(block, unit, pivots)) return false;
  for (int c = 0; c < kSide; ++c) {
    std::fill_n(unit + kSide * c, c + 1, 0.0);  // so that adding column c leaves the rows up to c
    std::fill_n(block + kSide * c, kSide, 0.0);
    block[kSide * c + c] = 1;
  }
  for (int k = 0; k < kSide; ++k) {
    for (int c = 0; c <= k; ++c) SubtractScaled(block[kSide * c + k], unit + kSide * k, block + kSide * c);
  }
  for (double& pivot : pivots) pivot = 1 / std::sqrt(pivot);
  for (int k = 0; k < kBlock; ++k) block[k] *= pivots[k % kSide];
  return true;
}

// Sigma becomes L, its diagonal blocks their inverses.
bool Cholesky(double* panels, int count) {
  for (int i = 0; i < count; ++i) {
    for (int j = 0; j < i; ++j) {
      SubtractProducts(panels, i, j);
      DivideByFactor(BlockAt(panels, j, j), BlockAt(panels, i, j));
    }
    SubtractProducts(panels, i, i);
    if (!InvertDiagonalBlock(BlockAt(panels, i, i))) return false;
  }
  return true;
}

// X = -X L^-1, which is zero above its diagonal: X's columns before `column` have had their last use.
void MultiplyNegated(const double* inverse, double* x) {
  for (int row = 0; row < kSide; row += kTileRows) {
    for (int column = 0; column < kSide; column += kTileColumns) {
      Tile tile;
      tile.AddProduct<1, kSide>(x + row + kSide * column, inverse + kSide * column + column, kSide - column);
      tile.StoreNegated(x + row + kSide * column);
    }
  }
}

// L_ij -= sum_begin<=k<end L_ik W_kj
void SubtractInverted(double* panels, int i, int j, int begin, int end) {
  for (int row = 0; row < kSide; row += kTileRows) {
    for (int column = 0; column < kSide; column += kTileColumns) {
      Tile tile;
      for (int k = begin; k < end; ++k) {
        tile.AddProduct<1, kSide>(BlockAt(panels, i, k) + row, BlockAt(panels, k, j) + kSide * column, kSide);
      }
      tile.SubtractFrom(BlockAt(panels, i, j) + row + kSide * column);
    }
  }
}

// X = L^-1 X, from below, so that no row is overwritten before its last use.
void Solve(const double* inverse, double* x) {
  for (int row = kSide - kTileRows; row >= 0; row -= kTileRows) {
    for (int column = 0; column < kSide; column += kTileColumns) {
      Tile tile;
      tile.AddProduct<1, kSide>(inverse + row, x + kSide * column, row + kTileRows);
      tile.Store(x + row + kSide * column);
    }
  }
}

// Row i of blocks from L to W.
void InvertPanel(double* panels, int i) {
  for (int j = 0; j < i; ++j) {
    MultiplyNegated(BlockAt(panels, j, j), BlockAt(panels, i, j));
    for (int k = j + 1; k < i; k += kBlocksAtOnce) SubtractInverted(panels, i, j, k, std::min(k + kBlocksAtOnce, i));
    Solve(BlockAt(panels, i, i), BlockAt(panels, i, j));
  }
}

// What float_to_half() gives; false for what is not finite in half precision.
bool ToHalves(const double* column, std::uint16_t* halves) {
  const hn::Rebind<float, Lane> floats;
  const hn::RebindToUnsigned<decltype(floats)> words;
  const hn::Rebind<std::uint16_t, Lane> result;
  for (int i = 0; i < kSide; i += kLanes) {
    const auto value = hn::LoadU(Lane(), column + i);
    if (!hn::AllTrue(Lane(), hn::Le(hn::Abs(value), hn::Set(Lane(), 65504.0)))) return false;
    const auto rounded = hn::DemoteTo(floats, value);
    const auto magnitude = hn::Abs(rounded);
    const auto bits = hn::BitCast(words, magnitude);
    const auto odd = hn::And(hn::ShiftRight<13>(bits), hn::Set(words, 1));
    const auto normal = hn::ShiftRight<13>(hn::Add(hn::Add(bits, odd), hn::Set(words, 0xfffU - (112U << 23))));
    const auto subnormal =
        hn::And(hn::BitCast(words, hn::Add(magnitude, hn::Set(floats, 0.5F))), hn::Set(words, 0x7ffU));
    const auto small = hn::RebindMask(words, hn::Lt(magnitude, hn::Set(floats, 0x1p-14F)));
    const auto sign = hn::And(hn::ShiftRight<16>(hn::BitCast(words, rounded)), hn::Set(words, 0x8000U));
    hn::StoreU(hn::TruncateTo(result, hn::Or(sign, hn::IfThenElse(small, subnormal, normal))), result, halves + i);
  }
  return true;
}

// Panel i of W: column by column, each from the panel's first row or the diagonal down.
bool PackPanel(const double* panel, int i, int rows, std::uint16_t* whitener) {
  for (int j = 0; j < kSide * i + rows; ++j, panel += kSide) {
    const int first = std::max(j - kSide * i, 0);
    std::uint16_t halves[kSide];
    if (!ToHalves(panel, halves)) return false;
    whitener = std::copy(halves + first, halves + rows, whitener);
  }
  return true;
}

bool Whiten(const float* comoment, const double* prior, int d, double scale, double epsilon, double* panels,
            std::uint16_t* whitener) {
  const int count = (d + kSide - 1) / kSide;
  LoadSigma(comoment, prior, d, scale, epsilon, panels);
  if (!Cholesky(panels, count)) return false;
  for (int i = 0; i < count; ++i) {
    InvertPanel(panels, i);
    const int rows = std::min(d - kSide * i, kSide);
    if (!PackPanel(BlockAt(panels, i, 0), i, rows, whitener + panel_start(kSide * i))) return false;
  }
  return true;
}

}  // namespace HWY_NAMESPACE
}  // namespace padim
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace padim {
namespace {

HWY_EXPORT(AddOuterProducts);
HWY_EXPORT(Whiten);

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
  return HWY_DYNAMIC_DISPATCH(Whiten)(comoment, prior, d, scale, epsilon, scratch, whitener);
}

}  // namespace padim
#endif
