#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <CLI/CLI.hpp>

#include "base/output.h"
#include "commands/backbone_options.h"
#include "commands/commands.h"
#include "commands/model_options.h"
#include "commands/source_options.h"
#include "commands/threshold_options.h"
#include "commands/use_frame.h"
#include "commands/within.h"
#include "eval/labelled_folder.h"
#include "gst-common/backbonefolders.h"
#include "io/file_io.h"
#include "io/frame_source.h"
#include "padim/error.h"
#include "padim/fitter.h"
#include "terminal/interrupt.h"
#include "terminal/progress.h"

namespace padim::tool {
namespace {

constexpr char kExamples[] = R"(Examples:
  padim fit --input normal.mp4 --output part.padim
  padim fit --input photos/good --output part.padim --false-alarm-rate 0.005
  padim fit --input rtsp://camera/stream --seconds 60 --output part.padim
  padim fit --input photos/good --output part.padim --search-radius 1
      for parts that sit loosely
  padim fit --input photos/good --output part.padim --augment-kind rotate
      for few photos of parts that lie in any pose
  padim fit --input photos/good --output part.padim --defects photos/bad --missed-at-most 0.05
      says what thresholds cost, and takes the highest that finds 95 % of these defects
  padim fit --resume part.padim --input tuesday.mp4 --output part.padim
      go on with a fit
  padim fit --input train/good --output screw.padim --backbone resnet18 --geometry paper
      --grid finest --reduction random --dimensions 100 --epsilon 0.01
      the published configuration
  padim fit --input photos/good --output part.padim --reduction pca --dimensions 100
      reads the photos twice: for the principal components, and for the fit)";

struct FitArguments {
  std::string input;
  std::filesystem::path output;
  std::filesystem::path resume;
  BackboneArguments backbone;
  ModelArguments model;
  ThresholdArguments threshold;
  std::optional<double> false_alarm_rate;
  std::string source;  ///< empty: by what the input is
  std::string augment_kind = to_string(AugmentKind::light);
  bool drop_outliers = false;
  bool keep_outliers = false;
  std::int64_t skip_frames = 0;
  bool strip = false;
  bool no_calibration = false;
  SourceOptions reading;
};

SourceKind source_kind(const FitArguments& arguments, InputKind kind) {
  if (arguments.source.empty()) return kind == InputKind::video ? SourceKind::stream : SourceKind::images;
  return arguments.source == "stream" ? SourceKind::stream : SourceKind::images;
}

double default_false_alarm_rate(SourceKind kind) {
  return kind == SourceKind::stream ? kStreamFalseAlarmRate : kImageFalseAlarmRate;
}

FitOptions fit_options(const FitArguments& arguments, const FrameSource& source) {
  FitOptions options = fit_options(arguments.model);
  options.source = source_kind(arguments, source.kind());
  options.sample_bits = source.sample_bits();
  options.false_alarm_rate = arguments.false_alarm_rate.value_or(default_false_alarm_rate(options.source));
  if (arguments.drop_outliers || arguments.keep_outliers) options.drop_outliers = arguments.drop_outliers;
  if (arguments.no_calibration) options.false_alarm_rate = std::nullopt;
  options.augment_kind = parse_augment_kind(arguments.augment_kind);
  options.threads = arguments.backbone.threads;
  return options;
}

void announce_false_alarm_rate(const FitArguments& arguments, SourceKind kind) {
  if (arguments.false_alarm_rate || arguments.no_calibration) return;
  char text[160];
  std::snprintf(text, sizeof text, "false-alarm rate %g per %s (default for %s; --false-alarm-rate sets another)",
                default_false_alarm_rate(kind), kind == SourceKind::stream ? "frame" : "image",
                kind == SourceKind::stream ? "videos" : "separate images");
  notice(text);
}

/// Frames that are skipped do not count.
SourceOptions reading_of(const FitArguments& arguments) {
  SourceOptions options = arguments.reading;
  if (options.frames) *options.frames += arguments.skip_frames;
  return options;
}

/// Reads the whole input once more, before the fit, for the basis of its reduction.
void run_first_pass(const FitArguments& arguments, const FrameSource& once, Fitter& fitter) {
  if (once.live()) {
    throw Error(ErrorCode::invalid_argument,
                "reduction pca reads its input twice, which a live source cannot be; record "
                "a video of it, or take --reduction random");
  }
  SourceOptions reading = reading_of(arguments);
  reading.range = {once.sample_bits(), ""};
  const auto source = open_frame_source(arguments.input, reading);
  Progress progress("first pass", "frames", source->length());
  std::int64_t frames = 0;
  while (const Frame* frame = source->next()) {
    if (interrupted()) return;
    if (frame->number < arguments.skip_frames) continue;
    use_frame(*frame, [&](const ImageView& view) { fitter.observe(view); });
    progress.update(++frames);
  }
}

/// A file, or a time in a video.
std::string name_of(const Frame& frame) {
  if (!frame.pts_ns) return frame.relative.string();
  char text[32];
  std::snprintf(text, sizeof text, "%.2f s", static_cast<double>(*frame.pts_ns) * 1e-9);
  return text;
}

/// Nothing where it was interrupted.
std::optional<Model> fit(FrameSource& source, std::int64_t skipped, Fitter& fitter) {
  Progress progress("fit", "frames", source.length());
  std::int64_t came = 0;
  while (const Frame* frame = source.next()) {
    if (interrupted()) break;
    ++came;
    if (frame->number < skipped) continue;
    use_frame(*frame, [&](const ImageView& view) { fitter.add(view, name_of(*frame)); });
    progress.update(fitter.frames());
  }
  if (came > 0 && came <= skipped && !interrupted()) {
    throw Error(ErrorCode::numeric, "nothing is left to fit on: --skip-frames " + std::to_string(skipped) +
                                        " passes over all " + std::to_string(came) + " frames of the input");
  }
  if (source.live() && interrupted()) accept_interrupt();  // it has no other end
  if (interrupted()) return std::nullopt;
  Progress finishing("finish", "%", 100);
  try {
    Model model = fitter.finish([&](double fraction) {
      finishing.update(static_cast<std::int64_t>(fraction * 100));
      return !interrupted();
    });
    if (!interrupted()) return model;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::cancelled) throw;
  }
  return std::nullopt;
}

std::optional<Model> load_resumed(const FitArguments& arguments) {
  if (arguments.resume.empty()) return std::nullopt;
  return Model::load(arguments.resume);
}

// resumed: the model that the fit goes on with, or nothing.
Fitter make_fitter(const FitArguments& arguments, const FrameSource& source, std::optional<Model> resumed) {
  const FitOptions options = fit_options(arguments, source);
  if (!resumed) {
    announce_false_alarm_rate(arguments, options.source);
    return {open_backbone(backbone_options(arguments.backbone, BackboneOptions{}.name, arguments.output)), options};
  }
  if (!arguments.threshold.empty()) check_calibrated(*resumed, arguments.resume);
  return {open_backbone(backbone_options(arguments.backbone, resumed->info().backbone, arguments.resume)), *resumed,
          options};
}

void save(const Model& model, const FitArguments& arguments) {
  (arguments.strip ? model.stripped() : model).save(arguments.output);
}

/// Says what was fitted and what thresholds of it cost, and saves it again where another threshold was chosen.
void explain(const Model& model, const FitArguments& arguments, FrameSource* defects) {
  if (model.info().calibration.scores.empty()) {
    std::fputs(describe(model).c_str(), stdout);
    return;
  }
  const auto& beside = arguments.resume.empty() ? arguments.output : arguments.resume;
  const Weighed weighed = weigh(model, arguments.threshold, defects, arguments.backbone, beside);
  if (arguments.threshold.chosen()) save(weighed.model, arguments);
  std::fputs(describe(weighed.model).c_str(), stdout);
  report(weighed, arguments.threshold);
}

// A fit that goes on may take the place of the one that it goes on with.
void check_outputs(const FitArguments& arguments, const FrameSource& source, const FrameSource* defects) {
  FileRoles roles;
  note_files(source, "the input", roles);
  note_defects(defects, roles);
  roles.reads(arguments.model.mask, "the mask");
  gst::note_backbone(backbone_options(arguments.backbone, BackboneOptions{}.name, arguments.output), roles);
  roles.writes(find_output_file(arguments.output, "--output"), "--output");
  roles.reads(arguments.resume, "the model that the fit goes on with");
  note_curve(arguments.threshold, roles);
}

// A fit that goes on reads as it began; a new one may look at all pictures.
SampleRange wanted_range(const FitArguments& arguments, const std::optional<Model>& resumed) {
  if (!resumed) return {arguments.model.options.sample_bits, ""};
  return range_after_fit(resumed->info().sample_bits, 0);
}

int run_fit(const FitArguments& arguments) {
  check_all_normal(arguments.input);
  SourceOptions reading = reading_of(arguments);
  std::optional<Model> resumed = load_resumed(arguments);
  reading.range = wanted_range(arguments, resumed);
  const auto source = open_frame_source(arguments.input, reading);
  check_bits(*source, arguments.model.options.sample_bits);
  say_what_is_left_out(*source);
  const auto defects = open_defects(arguments.threshold, range_after_fit(0, source->sample_bits()));
  check_outputs(arguments, *source, defects.get());
  Fitter fitter = make_fitter(arguments, *source, std::move(resumed));
  if (fitter.wants_first_pass()) run_first_pass(arguments, *source, fitter);
  const std::optional<Model> model = fit(*source, arguments.skip_frames, fitter);
  if (!model) {
    const bool exists = std::filesystem::exists(arguments.output);
    notice("interrupted: " + in_quotes(arguments.output) + (exists ? " is as it was" : " was not written"));
    return interrupt_status();
  }
  save(*model, arguments);  // before what may fail
  explain(*model, arguments, defects.get());
  return was_read_whole(*source, arguments.reading, "; the model was fitted on the others") ? 0 : 1;
}

}  // namespace

void add_fit_command(CLI::App& app, int& status) {
  auto arguments = std::make_shared<FitArguments>();
  CLI::App* command = app.add_subcommand("fit", "fit a model on normal images or a video of normal frames");
  command->footer(kExamples);
  command->add_option("--input", arguments->input, kInputHelp)->required()->type_name(kInputType);
  command->add_option("--output", arguments->output, "model file to write")->required()->type_name("M.padim");
  auto* rate = command
                   ->add_option("--false-alarm-rate", arguments->false_alarm_rate,
                                "wanted share of normal frames above the threshold [0.05 for images, 0.001 for videos]")
                   ->check(within(kFalseAlarmRate));
  auto* uncalibrated =
      command
          ->add_flag("--no-calibration", arguments->no_calibration,
                     "for comparisons of raw scores: the least memory, and a threshold without meaning")
          ->excludes(rate);
  command->add_option("--batch-size", arguments->model.options.batch_size, "frames per network run, 0 for automatic")
      ->check(within(kBatchSize))
      ->capture_default_str();
  command
      ->add_option(
          "--augment", arguments->model.options.augment,
          "extra copies of each frame; -1: of kind light one for a stream and none for images, of kind rotate 8")
      ->check(within(kAugment))
      ->capture_default_str();
  auto* augment_kind = command
                           ->add_option("--augment-kind", arguments->augment_kind,
                                        "of these copies: slightly other light, position and noise, or turned by any "
                                        "angle, for parts in any pose on a plain ground")
                           ->check(CLI::IsMember({"light", "rotate"}))
                           ->capture_default_str();
  auto* source =
      command->add_option("--source", arguments->source, "what the input is: a stream or separate images [by its kind]")
          ->check(CLI::IsMember({"stream", "images"}));
  auto* drop = command->add_flag("--drop-outliers", arguments->drop_outliers,
                                 "leave out frames unlike all others [where the input is a stream]");
  command
      ->add_flag("--keep-outliers", arguments->keep_outliers, "keep and only name them [where it is separate images]")
      ->excludes(drop);
  command->add_option("--skip-frames", arguments->skip_frames, "frames at the start that do not count")
      ->check(CLI::NonNegativeNumber);
  command->add_flag(
      "--strip", arguments->strip,
      "leave out what only a further fit needs: a third to a fifth of the size, no --resume and no merge");
  add_source_options(*command, arguments->reading);
  add_threshold_options(*command, arguments->threshold);
  for (const char* option : {"--defects", "--missed-at-most", "--curve"}) {
    uncalibrated->excludes(command->get_option(option));
  }
  add_model_options(*command, arguments->model);
  auto* resume =
      command->add_option("--resume", arguments->resume, "go on with the fit of this model, with its settings")
          ->type_name("M.padim");
  for (CLI::Option* option : command->get_options([](const CLI::Option* o) { return o->get_group() == kModelGroup; })) {
    resume->excludes(option);
  }
  resume->excludes(augment_kind);
  resume->excludes(source);
  add_backbone_options(*command, arguments->backbone, BackboneOptions{}.name);
  command->callback([arguments, &status] { status = run_fit(*arguments); });
}

}  // namespace padim::tool
