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

/// Where the i-th element of a packed whitener's diagonal lies. In a panel, columns lie behind each other, those of the
/// diagonal from their diagonal element down.
[[nodiscard]] constexpr std::size_t panel_diagonal(int d, int i) {
  const int first = i / kPanelRows * kPanelRows;
  const int height = d - first < kPanelRows ? d - first : kPanelRows;
  const int column = i - first;
  return panel_start(first) + static_cast<std::size_t>(i * height - column * (column - 1) / 2);
}

/// Kernels may read this many elements past the end of a packed triangle.
inline constexpr std::size_t kTrianglePadding = 16;

}  // namespace padim
