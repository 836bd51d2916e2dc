#include "score/regions.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>

// Connected components by runs: each row is cut into runs of values that reach the threshold; a run joins the runs of
// the row above that touch it, diagonals included, in a union-find forest whose root is the earliest run and carries
// the component's box, count and peak. The cost beyond one comparison per value is proportional to the number of runs.
// The comparison is exact: `value >= threshold` in double, rewritten as a comparison of floats.

namespace padim {
namespace {

struct Component {
  int left = 0;
  int right = 0;  ///< one past the last column
  int top = 0;
  int bottom = 0;  ///< one past the last row
  std::size_t count = 0;
  float peak = 0;
};

struct Run {
  int begin = 0;
  int end = 0;
  std::size_t parent = 0;  ///< index of a run of the same component, not above its own; a root names itself
  Component component;     ///< complete in roots only
};

/// Kept from frame to frame, so that a steady state allocates nothing.
struct Scratch {
  std::vector<Run> runs;
  std::vector<std::size_t> roots;
};

/// The smallest float that is not below `threshold`: for floats v, v >= result exactly when v >= threshold.
float float_threshold(double threshold) {
  const auto nearest = static_cast<float>(threshold);
  return static_cast<double>(nearest) < threshold ? std::nextafter(nearest, std::numeric_limits<float>::infinity())
                                                  : nearest;
}

std::size_t root_of(std::vector<Run>& runs, std::size_t run) {
  while (runs[run].parent != run) {
    runs[run].parent = runs[runs[run].parent].parent;
    run = runs[run].parent;
  }
  return run;
}

void absorb(Component& into, const Component& other) {
  into.left = std::min(into.left, other.left);
  into.right = std::max(into.right, other.right);
  into.top = std::min(into.top, other.top);
  into.bottom = std::max(into.bottom, other.bottom);
  into.count += other.count;
  into.peak = std::max(into.peak, other.peak);
}

void join(std::vector<Run>& runs, std::size_t a, std::size_t b) {
  a = root_of(runs, a);
  b = root_of(runs, b);
  if (a == b) return;
  if (b < a) std::swap(a, b);
  runs[b].parent = a;
  absorb(runs[a].component, runs[b].component);
}

void append_runs(const float* row, int width, int y, float threshold, std::vector<Run>& runs) {
  for (int x = 0; x < width; ++x) {
    if (!(row[x] >= threshold)) continue;
    const int begin = x;
    float peak = row[x];
    for (; x < width && row[x] >= threshold; ++x) peak = std::max(peak, row[x]);
    const Component component{begin, x, y, y + 1, static_cast<std::size_t>(x - begin), peak};
    runs.push_back({begin, x, runs.size(), component});
  }
}

/// Joins the runs [above, here) of one row with the runs [here, end) of the next; both ascend.
void join_rows(std::vector<Run>& runs, std::size_t above, std::size_t here) {
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

void label_runs(const ScoreMap& map, float threshold, std::vector<Run>& runs) {
  runs.clear();
  std::size_t above = 0;
  const auto width = static_cast<std::size_t>(map.width);
  for (int y = 0; y < map.height; ++y) {
    const std::size_t here = runs.size();
    append_runs(map.values.data() + static_cast<std::size_t>(y) * width, map.width, y, threshold, runs);
    join_rows(runs, above, here);
    above = here;
  }
}

struct Interval {
  int begin = 0;
  int length = 1;
};

/// The pixels of [0, limit) that offset + scale * [begin, end] touches; at least one, the nearest where it lies
/// outside.
Interval to_pixels(double offset, double scale, int begin, int end, int limit) {
  constexpr double kSlack = 1e-6;  // rounding of the mapping must not add a pixel at a side
  const double a = offset + scale * begin;
  const double b = offset + scale * end;
  const double low = std::clamp(std::floor(std::min(a, b) + kSlack), 0.0, limit - 1.0);
  const double high = std::clamp(std::ceil(std::max(a, b) - kSlack), low + 1.0, static_cast<double>(limit));
  return {static_cast<int>(low), static_cast<int>(high - low)};
}

Region to_region(const Component& component, double calibrated, const FrameMapping& mapping, Size frame) {
  const Interval x = to_pixels(mapping.offset_x, mapping.scale_x, component.left, component.right, frame.width);
  const Interval y = to_pixels(mapping.offset_y, mapping.scale_y, component.top, component.bottom, frame.height);
  const double area = static_cast<double>(component.count) * std::abs(mapping.scale_x * mapping.scale_y);
  const double box = static_cast<double>(x.length) * y.length;
  const double score = std::isfinite(component.peak) ? shown_score(component.peak, calibrated) : 1.0;
  return {x.begin, y.begin, x.length, y.length, std::min(area, box), score};
}

}  // namespace

void find_regions(const ScoreMap& map, double raw_threshold, double calibrated, const FrameMapping& mapping, Size frame,
                  const RegionLimits& limits, std::vector<Region>& regions) {
  thread_local Scratch scratch;
  regions.clear();
  if (std::isnan(raw_threshold) || frame.width < 1 || frame.height < 1) return;
  std::vector<Run>& runs = scratch.runs;
  label_runs(map, float_threshold(raw_threshold), runs);

  std::vector<std::size_t>& roots = scratch.roots;
  roots.clear();
  for (std::size_t run = 0; run < runs.size(); ++run) {
    if (runs[run].parent == run) roots.push_back(run);
  }
  // Equal peaks keep the order from top to bottom: indices ascend along the rows.
  const auto stronger = [&](std::size_t a, std::size_t b) {
    const float peak_a = runs[a].component.peak;
    const float peak_b = runs[b].component.peak;
    return peak_a != peak_b ? peak_a > peak_b : a < b;
  };
  std::sort(roots.begin(), roots.end(), stronger);
  const double least = limits.area * frame.width * frame.height;
  for (const std::size_t root : roots) {
    if (regions.size() == static_cast<std::size_t>(limits.count)) break;
    const Region region = to_region(runs[root].component, calibrated, mapping, frame);
    if (regions.empty() || region.area >= least) regions.push_back(region);
  }
}

}  // namespace padim
