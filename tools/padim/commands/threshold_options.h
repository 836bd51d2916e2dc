#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "base/output.h"
#include "commands/backbone_options.h"
#include "io/frame_source.h"
#include "padim/model.h"
#include "threshold/operating_curve.h"

namespace CLI {
class App;
}

namespace padim::tool {

/// Help group of the options that weigh a threshold.
inline constexpr char kThresholdGroup[] = "Threshold";

/// What a threshold is weighed with, and what is chosen: at most one of the last three, else the model's own stays.
struct ThresholdArguments {
  std::filesystem::path defects;
  std::filesystem::path curve;
  std::optional<double> missed_at_most;    ///< share of the defects
  std::optional<double> false_alarm_rate;  ///< by the held-out scores
  std::optional<double> raw;               ///< score

  [[nodiscard]] bool empty() const { return defects.empty() && curve.empty() && !chosen(); }
  [[nodiscard]] bool chosen() const { return missed_at_most || false_alarm_rate || raw; }
};

/// Adds --defects, --missed-at-most and --curve, as a group of that name.
void add_threshold_options(CLI::App& command, ThresholdArguments& arguments);

/// Opens --defects, null where there are none, and finds out whether --curve can be drawn: before the work, not after
/// it. range: of 16-bit pictures. Throws what open_frame_source and check_operating_plot throw.
[[nodiscard]] std::unique_ptr<FrameSource> open_defects(const ThresholdArguments& arguments, const SampleRange& range);

/// Notes what the defects are read from, if there are any.
void note_defects(const FrameSource* defects, FileRoles& roles);

/// Notes --curve, if one is wanted. Throws invalid_argument where it would overwrite what has a role.
void note_curve(const ThresholdArguments& arguments, FileRoles& roles);

/// Throws invalid_argument where the model `file` has no held-out scores, as nothing can be weighed then.
void check_calibrated(const Model& model, const std::filesystem::path& file);

struct Weighed {
  Model model;  ///< with the threshold that was chosen
  OperatingCurve curve;
};

/// Scores the defects, if any, and chooses. `file` is what the backbone lies beside. Throws bad_format where a defect
/// cannot be read, cancelled after an interrupt, and what Detector throws.
[[nodiscard]] Weighed weigh(const Model& model, const ThresholdArguments& arguments, FrameSource* defects,
                            const BackboneArguments& backbone, const std::filesystem::path& file);

/// Prints the table and what the chosen threshold costs, and draws the curve where one is wanted. Throws cannot_write.
void report(const Weighed& weighed, const ThresholdArguments& arguments);

}  // namespace padim::tool
