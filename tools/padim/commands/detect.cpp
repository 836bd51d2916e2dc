#include <array>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/output.h"
#include "commands/backbone_options.h"
#include "commands/commands.h"
#include "commands/scene_log.h"
#include "commands/source_options.h"
#include "commands/use_frame.h"
#include "commands/within.h"
#include "eval/ground_truth.h"
#include "gst-common/backbonefolders.h"
#include "io/file_io.h"
#include "io/frame_source.h"
#include "io/image_source.h"
#include "io/result_sink.h"
#include "padim/detector.h"
#include "padim/error.h"
#include "padim/overlay.h"
#include "terminal/interrupt.h"
#include "terminal/profile.h"
#include "terminal/progress.h"
#include "terminal/stopwatch.h"

namespace padim::tool {
namespace {

constexpr char kExamples[] = R"(Examples:
  padim detect --model part.padim --input line.mp4 --output annotated.mp4
  padim detect --model part.padim --input photos --output annotated --maps maps
  padim detect --model part.padim --input rtsp://camera/stream --reconnect --json scores.jsonl
  padim detect --model part.padim --input line.mp4 --json - | jq 'select(.anomalous)'
  padim detect --model board.padim --input sample/inspection.mp4 --ground-truth sample/truth)";

struct DetectArguments {
  std::filesystem::path model;
  std::string input;
  std::filesystem::path output;
  std::filesystem::path maps;
  std::filesystem::path json;
  std::filesystem::path ground_truth;
  std::filesystem::path mask;
  BackboneArguments backbone;
  double threshold = Detection{}.threshold;
  std::vector<std::string> overlay = {"heatmap", "text"};
  std::string colormap = to_string(OverlayOptions{}.colormap);
  SourceOptions reading;
  int bits = kSampleBits.fallback;
  bool profile = false;
};

OverlayOptions overlay_options(const DetectArguments& arguments) {
  OverlayOptions options;
  options.parts = {false, false, false, false};
  for (const std::string& part : arguments.overlay) {
    options.parts.heatmap |= part == "heatmap";
    options.parts.contour |= part == "contour";
    options.parts.boxes |= part == "boxes";
    options.parts.text |= part == "text";
  }
  options.colormap = parse_colormap(arguments.colormap);
  return options;
}

struct Sinks {
  std::vector<std::shared_ptr<ResultSink>> all;
  std::shared_ptr<GroundTruth> truth;  ///< also in `all`; may be null
};

FileRoles roles_of(const DetectArguments& arguments, const FrameSource& source, const BackboneOptions& backbone) {
  FileRoles roles;
  note_files(source, "the input", roles);
  roles.reads(arguments.model, "the model");
  roles.reads(arguments.mask, "the mask");
  roles.reads_below(arguments.ground_truth, "the ground truth");
  gst::note_backbone(backbone, roles);
  return roles;
}

/// `roles` must outlive them.
Sinks open_sinks(const DetectArguments& arguments, const FrameSource& source, FileRoles& roles) {
  Sinks sinks;
  if (!arguments.json.empty()) sinks.all.push_back(open_json_sink(arguments.json, roles));
  if (!arguments.maps.empty()) sinks.all.push_back(open_map_sink(arguments.maps, roles));
  if (!arguments.output.empty()) {
    sinks.all.push_back(open_annotated_sink(arguments.output, source, overlay_options(arguments), roles));
  }
  if (!arguments.ground_truth.empty()) {
    sinks.truth = std::make_shared<GroundTruth>(arguments.ground_truth, source.length());
    sinks.all.push_back(sinks.truth);
  }
  return sinks;
}

// Images are decoded ahead and videos encoded behind: "input" and "output" are what is waited for.
constexpr std::array kStages = {"input", "preprocess", "network", "embedding", "distances",
                                "map",   "regions",    "overlay", "output"};
using Times = std::array<double, kStages.size()>;  // in ms

struct Tally {
  std::int64_t frames = 0;
  std::int64_t anomalous = 0;
  double seconds = 0;
  std::optional<Profile> profile;    ///< where it is wanted
  std::vector<std::string> changes;  ///< of the scene, in words
};

const Detection& detect(Detector& detector, const Frame& frame, double threshold) {
  return use_frame(frame, [&](const ImageView& view) -> const Detection& { return detector.detect(view, threshold); });
}

/// Hands the result to all sinks; returns the milliseconds that drawing took.
double write(const Sinks& sinks, const Frame& frame, const Detection& detection, SceneCause scene) {
  double drawing_ms = 0;
  for (const auto& sink : sinks.all) {
    sink->write(frame, detection, scene);
    drawing_ms += sink->drawing_ms();
  }
  return drawing_ms;
}

Tally inspect(FrameSource& source, Detector& detector, const Sinks& sinks, const DetectArguments& arguments) {
  Tally tally;
  if (arguments.profile) tally.profile.emplace(std::vector<std::string>(kStages.begin(), kStages.end()));
  SceneLog scenes(detector.model(), source);
  Progress progress("detect", "frames", source.length());
  Stopwatch watch;
  while (const Frame* frame = source.next()) {
    if (interrupted()) break;
    const double input_ms = watch.restart_ms();
    if (frame->jumped_back) scenes.interrupt();
    const Detection& detection = detect(detector, *frame, arguments.threshold);
    const SceneCause scene = scenes.add(frame->number, detection);
    watch.restart_ms();
    const double drawing_ms = write(sinks, *frame, detection, scene);
    const double output_ms = watch.restart_ms() - drawing_ms;
    if (tally.profile) {
      const StageTimes& t = detector.stage_times();
      tally.profile->add(
          Times{input_ms, t.preprocess, t.network, t.embedding, t.distances, t.map, t.regions, drawing_ms, output_ms});
    }
    tally.anomalous += detection.anomalous ? 1 : 0;
    progress.update(++tally.frames);
  }
  // Of a run that ended before its first frame nothing takes the place of what an earlier one wrote.
  if (tally.frames > 0 || !interrupted()) {
    for (const auto& sink : sinks.all) sink->finish();
  }
  tally.seconds = progress.elapsed_seconds();
  tally.changes = scenes.finish();
  return tally;
}

void summarise(const Tally& tally) {
  const double rate = tally.seconds > 0 ? static_cast<double>(tally.frames) / tally.seconds : 0;
  notice(std::to_string(tally.frames) + (tally.frames == 1 ? " frame in " : " frames in ") +
         three_digits(tally.seconds) + " s (" + three_digits(rate) + "/s), " + std::to_string(tally.anomalous) +
         " anomalous");
  for (const std::string& change : tally.changes) notice(change);
  if (tally.profile) std::fputs(tally.profile->table().c_str(), stderr);
}

// Where JSON lines go to standard output nothing else may.
void print_quality(const DetectArguments& arguments, const GroundTruth& truth) {
  std::fputs(truth.report().c_str(), arguments.json == "-" ? stderr : stdout);
  std::fflush(stdout);
}

int final_status(const DetectArguments& arguments, const FrameSource& source) {
  if (interrupted() && !source.live()) {  // which has no other end
    notice("interrupted: what was written up to here is complete");
    return interrupt_status();
  }
  return was_read_whole(source, arguments.reading, "") ? 0 : 1;
}

int run_detect(const DetectArguments& arguments) {
  const Model model = Model::load(arguments.model);
  SourceOptions reading = arguments.reading;
  reading.range = range_after_fit(model.info().sample_bits, arguments.bits);
  const auto source = open_frame_source(arguments.input, reading);
  check_bits(*source, arguments.bits);
  say_what_is_left_out(*source);
  const BackboneOptions wanted = backbone_options(arguments.backbone, model.info().backbone, arguments.model);
  const auto backbone = open_backbone(wanted);
  const MaskPicture mask = arguments.mask.empty() ? MaskPicture{} : read_mask(arguments.mask);
  Detector detector(backbone, model, {.threads = arguments.backbone.threads, .mask = mask});
  FileRoles roles = roles_of(arguments, *source, wanted);
  const Sinks sinks = open_sinks(arguments, *source, roles);
  const Tally tally = inspect(*source, detector, sinks, arguments);
  summarise(tally);
  if (sinks.truth && tally.frames > 0) print_quality(arguments, *sinks.truth);
  return final_status(arguments, *source);
}

void add_result_options(CLI::App& command, DetectArguments& arguments) {
  const std::string group = "Results";
  command
      .add_option("--output", arguments.output,
                  "annotated frames: a folder, a video (.mp4, .mkv, .webm) or, for one image, an image")
      ->type_name("DIR|VIDEO|IMAGE")
      ->group(group);
  command.add_option("--maps", arguments.maps, "raw score maps, one .npy (float32, [H,W]) per frame")
      ->type_name("DIR")
      ->group(group);
  command.add_option("--json", arguments.json, "one JSON object per frame and line, - for standard output")
      ->type_name("FILE|-")
      ->group(group);
  command
      .add_option("--ground-truth", arguments.ground_truth,
                  "measure the quality: masks named STEM.png or STEM_mask.png like the images, frame_000123.png for a "
                  "video; frames without a mask are normal")
      ->type_name("DIR")
      ->group(group);
  command
      .add_option("--overlay", arguments.overlay,
                  "what is drawn, separated by commas: heatmap, contour, boxes, text, none")
      ->delimiter(',')
      ->check(CLI::IsMember({"heatmap", "contour", "boxes", "text", "none"}))
      ->default_str("heatmap,text")
      ->type_name("PARTS")
      ->group(group);
  command.add_option("--colormap", arguments.colormap, "of the heat map")
      ->check(CLI::IsMember({"jet", "turbo", "inferno", "viridis"}))
      ->capture_default_str()
      ->group(group);
}

}  // namespace

void add_detect_command(CLI::App& app, int& status) {
  auto arguments = std::make_shared<DetectArguments>();
  CLI::App* command = app.add_subcommand("detect", "score images or a video with a model and mark the anomalies");
  command->footer(kExamples);
  command->add_option("--model", arguments->model, "model file")->required()->type_name("M.padim");
  command->add_option("--input", arguments->input, kInputHelp)->required()->type_name(kInputType);
  command->add_option("--threshold", arguments->threshold, "score from which a frame is anomalous; 0.5 is calibrated")
      ->check(within(kThreshold))
      ->capture_default_str();
  command
      ->add_option("--mask", arguments->mask,
                   "picture of a whole frame whose dark places are ignored, besides what the model ignores")
      ->type_name("IMAGE");
  add_source_options(*command, arguments->reading);
  add_bits_option(*command, arguments->bits)->default_str("those of the fit")->group(kInputGroup);
  command->add_flag("--profile", arguments->profile,
                    "in the end, print how many milliseconds each stage of a frame took");
  add_result_options(*command, *arguments);
  add_backbone_options(*command, arguments->backbone, "the model's");
  command->callback([arguments, &status] { status = run_detect(*arguments); });
}

}  // namespace padim::tool
