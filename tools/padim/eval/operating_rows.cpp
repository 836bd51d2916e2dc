#include "eval/operating_rows.h"

#include <utility>

namespace padim::tool {
namespace {

ScoreSet scores_of(const ClassResult& result, bool anomalous) {
  std::vector<float> scores;
  for (const ImageResult& image : result.images) {
    if (image.source.anomalous() == anomalous) scores.push_back(static_cast<float>(image.raw_score));
  }
  return ScoreSet(std::move(scores));
}

}  // namespace

std::vector<OperatingRow> operating_rows(const ClassResult& result) {
  if (!result.threshold || result.model.calibration.scores.empty()) return {};
  const OperatingCurve curve = operating_curve(result.model.calibration);
  const ScoreSet normal = scores_of(result, false);
  const ScoreSet defective = scores_of(result, true);
  const auto held_out = static_cast<double>(curve.held_out.size());
  std::vector<OperatingRow> rows;
  for (const OperatingPoint& point : curve.points) {
    const double t = point.threshold;
    rows.push_back({point,
                    static_cast<double>(curve.held_out.at_or_above(t)) / held_out,
                    {normal.at_or_above(t), defective.below(t)}});
  }
  return rows;
}

}  // namespace padim::tool
