#include "score/regions.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "image/connected_runs.h"

namespace padim {
namespace {

/// Kept from frame to frame, so that a steady state allocates nothing.
struct Scratch {
  std::vector<ConnectedRun> runs;
  std::vector<std::size_t> roots;
};

/// The smallest float that is not below `threshold`: for floats v, v >= result exactly when v >= threshold.
float float_threshold(double threshold) {
  const auto nearest = static_cast<float>(threshold);
  return static_cast<double>(nearest) < threshold ? std::nextafter(nearest, std::numeric_limits<float>::infinity())
                                                  : nearest;
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
  std::vector<ConnectedRun>& runs = scratch.runs;
  // The comparison is exact: `value >= threshold` in double, rewritten as a comparison of floats.
  find_connected_runs(map.values, map.width, float_threshold(raw_threshold), runs);

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
