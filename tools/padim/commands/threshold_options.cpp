#include "commands/threshold_options.h"

#include <cstdint>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "commands/source_options.h"
#include "commands/use_frame.h"
#include "eval/labelled_folder.h"
#include "io/file_io.h"
#include "io/image_source.h"
#include "padim/detector.h"
#include "padim/error.h"
#include "terminal/interrupt.h"
#include "terminal/progress.h"
#include "threshold/operating_plot.h"
#include "threshold/score_set.h"

namespace padim::tool {
namespace {

// A share of fewer defects than there are would look better than it is.
void check_all_were_read(const FrameSource& source, std::size_t read, const std::filesystem::path& path) {
  if (source.unreadable() > 0) {
    throw Error(ErrorCode::bad_format, std::to_string(source.unreadable()) + " of " + std::to_string(source.length()) +
                                           " images of --defects cannot be read; repair or remove them");
  }
  if (read == 0) throw Error(ErrorCode::bad_format, "there is no frame in --defects " + in_quotes(path));
}

ScoreSet score(FrameSource& source, Detector& detector, const std::filesystem::path& path) {
  std::vector<float> scores;
  Progress progress("defects", "frames", source.length());
  while (const Frame* frame = source.next()) {
    if (interrupted()) throw Error(ErrorCode::cancelled, "interrupted");
    const auto& detection =
        use_frame(*frame, [&](const ImageView& view) -> const Detection& { return detector.detect(view); });
    scores.push_back(static_cast<float>(detection.raw_score));
    progress.update(static_cast<std::int64_t>(scores.size()));
  }
  if (source.above_range() > 0) notice(above_range(source.above_range(), source.sample_bits()));
  check_all_were_read(source, scores.size(), path);
  return ScoreSet(std::move(scores));
}

std::optional<double> chosen_threshold(const ThresholdArguments& arguments, const Calibration& calibration,
                                       const std::optional<ScoreSet>& defects) {
  if (arguments.missed_at_most) return defects->threshold_missing(*arguments.missed_at_most);
  if (arguments.false_alarm_rate) return threshold_at(calibration, *arguments.false_alarm_rate);
  return arguments.raw;
}

std::string share_of(std::int64_t part, std::int64_t whole) {
  char text[64];
  std::snprintf(text, sizeof text, "%lld of %lld (%.3f)", static_cast<long long>(part), static_cast<long long>(whole),
                static_cast<double>(part) / static_cast<double>(whole));
  return text;
}

std::string cost_of(double threshold, const OperatingCurve& curve) {
  char number[32];
  std::snprintf(number, sizeof number, "%.5g", threshold);
  const ScoreSet& normal = curve.held_out;
  std::string text = "Chosen: raw score " + std::string(number) + ". Held-out normal scores that reach it: " +
                     share_of(normal.at_or_above(threshold), normal.size()) + ".";
  if (curve.defects) {
    text += " Defects that do not: " + share_of(curve.defects->below(threshold), curve.defects->size()) + ".";
  }
  return text + "\n";
}

void warn_where_defects_look_normal(double threshold, const ScoreSet& held_out) {
  const std::int64_t alarms = held_out.at_or_above(threshold);
  if (2 * alarms <= held_out.size()) return;
  notice("the model cannot tell these defects from normal: a threshold that finds as many raises false alarms in " +
         share_of(alarms, held_out.size()) +
         " held-out normal frames; look at what is in both folders, or fit with a larger --input-size");
}

}  // namespace

void add_threshold_options(CLI::App& command, ThresholdArguments& arguments) {
  auto* defects =
      command
          .add_option("--defects", arguments.defects,
                      "folder of images, searched recursively, or a video: all anomalous. Tells what thresholds miss")
          ->type_name("DIR|VIDEO")
          ->group(kThresholdGroup);
  command
      .add_option("--missed-at-most", arguments.missed_at_most,
                  "take the highest threshold that misses at most this share of --defects, whatever it costs")
      ->check(CLI::Range(0.0, 1.0))
      ->type_name("SHARE")
      ->needs(defects)
      ->group(kThresholdGroup);
  command.add_option("--curve", arguments.curve, "draw false alarms and missed defects over the threshold, by gnuplot")
      ->type_name("FILE.png")
      ->group(kThresholdGroup);
}

std::unique_ptr<FrameSource> open_defects(const ThresholdArguments& arguments, const SampleRange& range) {
  if (!arguments.curve.empty()) check_operating_plot(arguments.curve);
  if (arguments.defects.empty()) return nullptr;
  check_all_defective(arguments.defects);
  SourceOptions reading;
  reading.range = range;
  auto source = open_frame_source(arguments.defects, reading);
  say_what_is_left_out(*source);
  return source;
}

void note_defects(const FrameSource* defects, FileRoles& roles) {
  if (defects != nullptr) note_files(*defects, "an image of --defects", roles);
}

void note_curve(const ThresholdArguments& arguments, FileRoles& roles) {
  if (!arguments.curve.empty()) roles.writes(arguments.curve, "--curve");
}

void check_calibrated(const Model& model, const std::filesystem::path& file) {
  if (!model.info().calibration.scores.empty()) return;
  throw Error(ErrorCode::invalid_argument,
              "model " + in_quotes(file) +
                  " was fitted without calibration: it has no held-out normal scores to weigh thresholds by; fit it "
                  "again without --no-calibration");
}

Weighed weigh(const Model& model, const ThresholdArguments& arguments, FrameSource* defects,
              const BackboneArguments& backbone, const std::filesystem::path& file) {
  std::optional<ScoreSet> scores;
  if (defects != nullptr) {
    Detector detector(open_backbone(backbone_options(backbone, model.info().backbone, file)), model,
                      {.threads = backbone.threads});
    scores = score(*defects, detector, arguments.defects);
  }
  const std::optional<double> threshold = chosen_threshold(arguments, model.info().calibration, scores);
  Model weighed = threshold ? model.with_threshold(*threshold) : model;
  OperatingCurve curve = operating_curve(weighed.info().calibration, std::move(scores));
  return {std::move(weighed), std::move(curve)};
}

void report(const Weighed& weighed, const ThresholdArguments& arguments) {
  const double threshold = weighed.model.info().calibration.threshold;
  std::fputs(to_table(weighed.curve).c_str(), stdout);
  if (arguments.chosen()) std::fputs(cost_of(threshold, weighed.curve).c_str(), stdout);
  std::fflush(stdout);
  if (arguments.missed_at_most) warn_where_defects_look_normal(threshold, weighed.curve.held_out);
  if (!arguments.curve.empty()) write_operating_plot(weighed.curve, arguments.curve);
}

}  // namespace padim::tool
