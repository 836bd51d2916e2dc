// Y += X R, a small matrix product whose result goes to several places. Lanes are columns of R: each load of a panel's
// row serves kProjectedRows multiply-adds, whose sums stay in registers over the whole depth; eight independent sums
// hide the latency of the multiply-adds. Panels are zero behind the last column, so only the stores need care there.
// Must match the scalar version to float rounding.

#include "embedding/projection_kernel.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "embedding/projection_kernel.cpp"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace padim {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Tag = hn::CappedTag<float, kPanelColumns>;
using V = hn::Vec<Tag>;

// Adds a vector of a row's columns [column, column + Lanes), of which those below d exist.
void AddTo(float* output, int column, int d, V sum) {
  const Tag tag;
  const int lanes = static_cast<int>(hn::Lanes(tag));
  float* to = output + column;
  if (column + lanes <= d) {
    hn::StoreU(hn::Add(hn::LoadU(tag, to), sum), tag, to);
    return;
  }
  HWY_ALIGN float values[kPanelColumns];
  hn::Store(sum, tag, values);
  for (int j = 0; column + j < d; ++j) to[j] += values[j];
}

template <int kCount>
void AddRows(const ProjectionBlock& block) {
  const Tag tag;
  const int lanes = static_cast<int>(hn::Lanes(tag));
  const int d = block.dimensions;
  const float* panel = block.panels;
  for (int first = 0; first < d; first += kPanelColumns, panel += block.panel_stride) {
    for (int column = first; column < std::min(first + kPanelColumns, d); column += lanes) {
      V sums[kCount];
      for (int i = 0; i < kCount; ++i) sums[i] = hn::Zero(tag);
      const float* r = panel + (column - first);
      for (int k = 0; k < block.depth; ++k, r += kPanelColumns) {
        const V columns = hn::LoadU(tag, r);
        for (int i = 0; i < kCount; ++i) {
          sums[i] = hn::MulAdd(hn::Set(tag, block.rows[i * block.depth + k]), columns, sums[i]);
        }
      }
      for (int i = 0; i < kCount; ++i) {
        for (int y = 0; y < block.replicas; ++y) {
          float* output = block.outputs[i] + static_cast<std::size_t>(y) * block.row_stride;
          for (int x = 0; x < block.replicas; ++x, output += d) AddTo(output, column, d, sums[i]);
        }
      }
    }
  }
}

void AddProjected(const ProjectionBlock& block) {
  switch (block.count) {
    case 1:
      return AddRows<1>(block);
    case 2:
      return AddRows<2>(block);
    case 3:
      return AddRows<3>(block);
    case 4:
      return AddRows<4>(block);
    case 5:
      return AddRows<5>(block);
    case 6:
      return AddRows<6>(block);
    case 7:
      return AddRows<7>(block);
    default:
      return AddRows<kProjectedRows>(block);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace padim
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace padim {

HWY_EXPORT(AddProjected);

void add_projected(const ProjectionBlock& block) noexcept { HWY_DYNAMIC_DISPATCH(AddProjected)(block); }

void add_projected_scalar(const ProjectionBlock& block) noexcept {
  const auto d = static_cast<std::size_t>(block.dimensions);
  const auto replicas = static_cast<std::size_t>(block.replicas);
  for (int i = 0; i < block.count; ++i) {
    for (std::size_t j = 0; j < d; ++j) {
      const float* column = block.panels + j / kPanelColumns * block.panel_stride + j % kPanelColumns;
      float sum = 0;
      for (int k = 0; k < block.depth; ++k) sum += block.rows[i * block.depth + k] * column[k * kPanelColumns];
      for (std::size_t replica = 0; replica < replicas * replicas; ++replica) {
        block.outputs[i][replica / replicas * block.row_stride + replica % replicas * d + j] += sum;
      }
    }
  }
}

}  // namespace padim
#endif
