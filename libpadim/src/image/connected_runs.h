#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace padim {

/// A part of a picture whose pixels touch each other, diagonals included.
struct Component {
  int left = 0;
  int right = 0;  ///< one past the last column
  int top = 0;
  int bottom = 0;  ///< one past the last row
  std::size_t count = 0;
  float peak = 0;
};

/// Neighbouring pixels [begin, end) of a row that belong to one component.
struct ConnectedRun {
  int row = 0;
  int begin = 0;
  int end = 0;
  std::size_t parent = 0;  ///< index of a run of the same component, not behind its own; a root names itself
  Component component;     ///< complete in roots only
};

/// The runs of all values that reach `threshold`, row by row, joined to components. values: rows of `width` without
/// gaps. `runs` is overwritten, its memory reused. NaN reaches nothing.
void find_connected_runs(std::span<const float> values, int width, float threshold, std::vector<ConnectedRun>& runs);

/// The same of a mask: all that is not 0.
void find_connected_runs(std::span<const std::uint8_t> mask, int width, std::vector<ConnectedRun>& runs);

/// The root of a run's component: its earliest run. Shortens the way there.
[[nodiscard]] std::size_t root_of(std::vector<ConnectedRun>& runs, std::size_t run);

}  // namespace padim
