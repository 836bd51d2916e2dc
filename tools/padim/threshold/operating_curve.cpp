#include "threshold/operating_curve.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <utility>

namespace padim::tool {
namespace {

constexpr std::array kRates = {0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.001};

// The fit may have come to the same number in another order.
bool is_same(double threshold, double in_force) { return std::abs(threshold - in_force) <= 1e-6 * in_force; }

std::vector<OperatingPoint> points_of(const Calibration& calibration, const ScoreSet& held_out) {
  const double in_force = calibration.threshold;
  std::vector<OperatingPoint> points;
  for (const double rate : kRates) {
    const double threshold = threshold_at(calibration, rate);
    const bool same = is_same(threshold, in_force);
    points.push_back({rate, same ? in_force : threshold, rate < held_out.least_rate(), same});
  }
  if (std::ranges::find(points, true, &OperatingPoint::in_force) == points.end()) {
    points.push_back({{}, in_force, false, true});
  }
  std::ranges::stable_sort(points, {}, &OperatingPoint::threshold);
  return points;
}

std::string formatted(const char* format, double value) {
  char text[32];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string name_of(const OperatingPoint& point) {
  if (!point.rate) return "in force";
  return formatted("%g", *point.rate) + (point.extrapolated ? " *" : "");
}

// "   8 of 40   0.200"
std::string counted(std::int64_t part, std::int64_t whole) {
  char text[80];
  std::snprintf(text, sizeof text, "%11lld of %-6lld %.3f", static_cast<long long>(part), static_cast<long long>(whole),
                static_cast<double>(part) / static_cast<double>(whole));
  return text;
}

std::string line(const OperatingCurve& curve, const OperatingPoint& point) {
  char text[64];
  std::snprintf(text, sizeof text, "%s %-10s%9s", point.in_force ? ">" : " ", name_of(point).c_str(),
                formatted("%.5g", point.threshold).c_str());
  std::string result = text + counted(curve.held_out.at_or_above(point.threshold), curve.held_out.size());
  if (curve.defects) result += counted(curve.defects->below(point.threshold), curve.defects->size());
  return result + "\n";
}

std::string footnote(const OperatingCurve& curve) {
  if (std::ranges::none_of(curve.points, &OperatingPoint::extrapolated)) return "> in force\n";
  return "> in force; * extrapolated: " + std::to_string(curve.held_out.size()) +
         " held-out scores measure no rate below " + formatted("%.2g", curve.held_out.least_rate()) + "\n";
}

}  // namespace

OperatingCurve operating_curve(const Calibration& calibration, std::optional<ScoreSet> defects) {
  ScoreSet held_out(calibration.scores);
  std::vector<OperatingPoint> points = points_of(calibration, held_out);
  return {std::move(points), std::move(held_out), std::move(defects)};
}

std::string to_table(const OperatingCurve& curve) {
  std::string text =
      "What thresholds cost, by the rate of false alarms to expect:\n  rate      raw score    held-out false alarms";
  if (curve.defects) text += "           defects missed";
  text += "\n";
  for (const OperatingPoint& point : curve.points) text += line(curve, point);
  return text + footnote(curve);
}

}  // namespace padim::tool
