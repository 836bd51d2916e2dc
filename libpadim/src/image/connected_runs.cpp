// Connected components by runs: each row is cut into runs of values that reach the threshold; a run joins the runs of
// the row above that touch it, diagonals included, in a union-find forest whose root is the earliest run and carries
// the component's box, count and peak. The cost beyond one comparison per value is proportional to the number of runs.

#include "image/connected_runs.h"

#include <algorithm>
#include <utility>

namespace padim {
namespace {

void absorb(Component& into, const Component& other) {
  into.left = std::min(into.left, other.left);
  into.right = std::max(into.right, other.right);
  into.top = std::min(into.top, other.top);
  into.bottom = std::max(into.bottom, other.bottom);
  into.count += other.count;
  into.peak = std::max(into.peak, other.peak);
}

void join(std::vector<ConnectedRun>& runs, std::size_t a, std::size_t b) {
  a = root_of(runs, a);
  b = root_of(runs, b);
  if (a == b) return;
  if (b < a) std::swap(a, b);
  runs[b].parent = a;
  absorb(runs[a].component, runs[b].component);
}

template <class Value>
void append_runs(const Value* row, int width, int y, Value threshold, std::vector<ConnectedRun>& runs) {
  for (int x = 0; x < width; ++x) {
    if (!(row[x] >= threshold)) continue;
    const int begin = x;
    Value peak = row[x];
    for (; x < width && row[x] >= threshold; ++x) peak = std::max(peak, row[x]);
    const Component component{begin, x, y, y + 1, static_cast<std::size_t>(x - begin), static_cast<float>(peak)};
    runs.push_back({y, begin, x, runs.size(), component});
  }
}

/// Joins the runs [above, here) of one row with the runs [here, end) of the next; both ascend.
void join_rows(std::vector<ConnectedRun>& runs, std::size_t above, std::size_t here) {
  const std::size_t end_above = here;
  while (above < end_above && here < runs.size()) {
    const bool touch = runs[above].begin <= runs[here].end && runs[here].begin <= runs[above].end;
    if (touch) join(runs, above, here);
    if (runs[above].end < runs[here].end) {
      ++above;
    } else {
      ++here;
    }
  }
}

template <class Value>
void find(std::span<const Value> values, int width, Value threshold, std::vector<ConnectedRun>& runs) {
  runs.clear();
  std::size_t above = 0;
  const auto row_length = static_cast<std::size_t>(width);
  for (std::size_t y = 0; y * row_length < values.size(); ++y) {
    const std::size_t here = runs.size();
    append_runs(values.data() + y * row_length, width, static_cast<int>(y), threshold, runs);
    join_rows(runs, above, here);
    above = here;
  }
}

}  // namespace

std::size_t root_of(std::vector<ConnectedRun>& runs, std::size_t run) {
  while (runs[run].parent != run) {
    runs[run].parent = runs[runs[run].parent].parent;
    run = runs[run].parent;
  }
  return run;
}

void find_connected_runs(std::span<const float> values, int width, float threshold, std::vector<ConnectedRun>& runs) {
  find(values, width, threshold, runs);
}

void find_connected_runs(std::span<const std::uint8_t> mask, int width, std::vector<ConnectedRun>& runs) {
  find(mask, width, std::uint8_t{1}, runs);
}

}  // namespace padim
