#pragma once

#include <algorithm>

namespace padim {

struct Point {
  double x = 0;
  double y = 0;
};

/// A straight piece of line, prepared for many distances.
class Segment {
 public:
  Segment(Point a, Point b) : a_(a), dx_(b.x - a.x), dy_(b.y - a.y) {
    const double length = dx_ * dx_ + dy_ * dy_;
    inverse_ = length > 0 ? 1 / length : 0;
  }

  [[nodiscard]] double squared_distance(double x, double y) const {
    const double t = std::clamp(((x - a_.x) * dx_ + (y - a_.y) * dy_) * inverse_, 0.0, 1.0);
    const double ex = x - a_.x - t * dx_;
    const double ey = y - a_.y - t * dy_;
    return ex * ex + ey * ey;
  }

 private:
  Point a_;
  double dx_;
  double dy_;
  double inverse_;
};

}  // namespace padim
