#pragma once

#include <cstddef>

namespace padim {

/// Columns per panel of a packed projection.
inline constexpr int kPanelColumns = 16;

/// Most rows that are projected together.
inline constexpr int kProjectedRows = 8;

/// Some rows X [count, depth] of a tap, a slice R [depth, d] of the projection, and where X R is added to.
struct ProjectionBlock {
  const float* rows;  ///< X, tight
  int count;          ///< 1..kProjectedRows
  int depth;
  const float* panels;       ///< R in ceil(d / kPanelColumns) panels [depth, kPanelColumns], zeros right of column d
  std::size_t panel_stride;  ///< floats from one panel to the next
  int dimensions;            ///< d
  float* const* outputs;     ///< [count]: where each row's first replica starts
  int replicas;              ///< on each axis; those beside each other are d floats apart
  std::size_t row_stride;    ///< floats between replicas below each other
};

/// Adds each row of X R to its replicas x replicas outputs. SIMD, chosen at run time.
void add_projected(const ProjectionBlock& block) noexcept;

/// The same in plain loops: what the SIMD version is tested against.
void add_projected_scalar(const ProjectionBlock& block) noexcept;

}  // namespace padim
