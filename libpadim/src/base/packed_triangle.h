#pragma once

#include <cstddef>

namespace padim {

/// Elements of a packed lower triangle of d rows.
[[nodiscard]] constexpr std::size_t triangle_size(int d) {
  return static_cast<std::size_t>(d) * (static_cast<std::size_t>(d) + 1) / 2;
}

/// Where row i of a lower triangle packed by rows starts: its elements 0..i follow.
[[nodiscard]] constexpr std::size_t triangle_row(int i) { return triangle_size(i); }

/// Rows per panel of a packed whitener.
inline constexpr int kPanelRows = 16;

/// Where panel row `first` (a multiple of kPanelRows) of a whitener packed in panels starts: the panels above hold
/// exactly the triangle of `first` rows.
[[nodiscard]] constexpr std::size_t panel_start(int first) { return triangle_size(first); }

/// Kernels may read this many elements past the end of a packed triangle.
inline constexpr std::size_t kTrianglePadding = 16;

}  // namespace padim
