#include <filesystem>
#include <memory>

#include <CLI/CLI.hpp>

#include "base/output.h"
#include "commands/backbone_options.h"
#include "commands/commands.h"
#include "commands/source_options.h"
#include "commands/threshold_options.h"
#include "commands/within.h"
#include "gst-common/backbonefolders.h"
#include "io/file_io.h"
#include "padim/error.h"
#include "terminal/progress.h"

namespace padim::tool {
namespace {

constexpr char kExamples[] = R"(Examples:
  padim threshold part.padim --defects photos/bad
      what the model's threshold and others cost
  padim threshold part.padim --defects photos/bad --missed-at-most 0.05 --output part.padim
  padim threshold part.padim --false-alarm-rate 0.05 --output lenient.padim
  padim threshold part.padim --defects photos/bad --curve curve.png)";

struct Arguments {
  std::filesystem::path model;
  std::filesystem::path output;
  ThresholdArguments threshold;
  BackboneArguments backbone;
  int bits = kSampleBits.fallback;
};

void check(const Arguments& arguments) {
  if (arguments.output.empty() || arguments.threshold.chosen()) return;
  throw Error(ErrorCode::invalid_argument,
              "--output needs a threshold to write: give --missed-at-most, --false-alarm-rate or --raw");
}

// The model itself may take the threshold.
void check_outputs(const Arguments& arguments, const FrameSource* defects, const BackboneOptions& backbone) {
  FileRoles roles;
  note_defects(defects, roles);
  gst::note_backbone(backbone, roles);
  if (!arguments.output.empty()) roles.writes(find_output_file(arguments.output, "--output"), "--output");
  roles.reads(arguments.model, "the model");
  note_curve(arguments.threshold, roles);
}

int run_threshold(const Arguments& arguments) {
  check(arguments);
  const Model model = Model::load(arguments.model);
  check_calibrated(model, arguments.model);
  const auto defects = open_defects(arguments.threshold, range_after_fit(model.info().sample_bits, arguments.bits));
  check_outputs(arguments, defects.get(), backbone_options(arguments.backbone, model.info().backbone, arguments.model));
  const Weighed weighed = weigh(model, arguments.threshold, defects.get(), arguments.backbone, arguments.model);
  if (!arguments.output.empty()) weighed.model.save(arguments.output);
  report(weighed, arguments.threshold);
  if (arguments.threshold.chosen() && arguments.output.empty()) {
    notice(in_quotes(arguments.model) + " is as it was: --output writes a model with this threshold");
  }
  return 0;
}

}  // namespace

void add_threshold_command(CLI::App& app, int& status) {
  auto arguments = std::make_shared<Arguments>();
  ThresholdArguments& threshold = arguments->threshold;
  CLI::App* command = app.add_subcommand("threshold", "say what thresholds of a model cost, and choose one");
  command->footer(kExamples);
  command->add_option("model", arguments->model, "model file")->required()->type_name("M.padim");
  command->add_option("--output", arguments->output, "model file to write, with the threshold that was chosen")
      ->type_name("M.padim");
  add_threshold_options(*command, threshold);
  CLI::Option* missed = command->get_option("--missed-at-most");
  CLI::Option* rate = command
                          ->add_option("--false-alarm-rate", threshold.false_alarm_rate,
                                       "take the threshold that this share of normal frames is to be expected above")
                          ->check(within(kFalseAlarmRate))
                          ->excludes(missed)
                          ->group(kThresholdGroup);
  command->add_option("--raw", threshold.raw, "take this raw score")
      ->check(CLI::PositiveNumber)
      ->excludes(missed)
      ->excludes(rate)
      ->type_name("SCORE")
      ->group(kThresholdGroup);
  add_bits_option(*command, arguments->bits)->default_str("those of the fit")->group(kThresholdGroup);
  add_backbone_options(*command, arguments->backbone, "the model's");
  command->callback([arguments, &status] { status = run_threshold(*arguments); });
}

}  // namespace padim::tool
