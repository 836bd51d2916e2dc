#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>

#include "commands/commands.h"
#include "io/file_io.h"
#include "io/image_source.h"
#include "io/video_writer.h"
#include "padim/error.h"
#include "sample/board.h"
#include "sample/scene.h"
#include "terminal/interrupt.h"
#include "terminal/progress.h"

namespace padim::tool {
namespace {

struct SampleArguments {
  std::filesystem::path output;
  std::uint64_t seed = 1024;
  int fit_frames = 300;
  int inspect_frames = 600;
};

constexpr char kExamples[] = R"(Examples:
  padim sample --output sample
  padim sample --output sample --seed 7 --fit-frames 150 --inspect-frames 320

Writes normal.mp4 (to fit on), inspection.mp4 (to detect in), truth/frame_000123.png (masks of
the anomalous frames) and sample.json (which frames show what).)";

void write_mask(const std::filesystem::path& file, const cv::Mat& mask) {
  std::vector<std::uint8_t> bytes;
  cv::imencode(".png", mask, bytes);
  write_file(file, bytes);
}

// Masks of an earlier, longer run would belong to no frame of this one.
void remove_old_masks(const std::filesystem::path& folder) {
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("frame_") && name.ends_with(".png")) std::filesystem::remove(entry.path());
  }
}

/// Renders one recording; masks go into `truth` where that is not empty. False where it was interrupted.
bool render(Scene& scene, const std::filesystem::path& video, const std::filesystem::path& truth) {
  constexpr int kNearLossless = 18;
  VideoWriter writer(video, {{kSceneFramesPerSecond, 1}, {1, 1}, kNearLossless});
  const int frames = scene.timeline().back().end;
  Progress progress(video.filename().string(), "frames", frames);
  for (int number = 0; number < frames; ++number) {
    if (interrupted()) return false;
    const SceneFrame frame = scene.render(number);
    writer.write(FrameCopy(bgr_view(frame.picture)), std::nullopt);
    if (!frame.truth.empty()) write_mask(truth / (video_frame_name(number) + ".png"), frame.truth);
    progress.update(number + 1);
  }
  writer.finish();
  return true;
}

std::string sample_json(const SampleArguments& arguments, const std::vector<Stretch>& timeline) {
  using Json = nlohmann::ordered_json;
  Json stretches = Json::array();
  for (const Stretch& stretch : timeline) {
    stretches.push_back({{"kind", stretch.kind}, {"begin", stretch.begin}, {"end", stretch.end}});
  }
  const Json json = {
      {"seed", arguments.seed},
      {"width", kSceneSize.width},
      {"height", kSceneSize.height},
      {"frames_per_second", kSceneFramesPerSecond},
      {"normal", {{"file", "normal.mp4"}, {"frames", arguments.fit_frames}}},
      {"inspection", {{"file", "inspection.mp4"}, {"frames", arguments.inspect_frames}, {"truth", "truth"}}},
      {"stretches", stretches},
  };
  return json.dump(2) + "\n";
}

int run_sample(const SampleArguments& arguments) {
  const std::filesystem::path truth = arguments.output / "truth";
  prepare_folder(truth);
  remove_old_masks(truth);
  Scene normal(arguments.seed, Footage::normal, normal_timeline(arguments.fit_frames));
  Scene inspection(arguments.seed, Footage::inspection, inspection_timeline(arguments.inspect_frames));
  if (!render(normal, arguments.output / "normal.mp4", {}) ||
      !render(inspection, arguments.output / "inspection.mp4", truth)) {
    notice("interrupted: " + in_quotes(arguments.output) + " is incomplete");
    return interrupt_status();
  }
  write_text(arguments.output / "sample.json", sample_json(arguments, inspection.timeline()));
  notice("wrote " + in_quotes(arguments.output) + ": " + std::to_string(arguments.fit_frames) +
         " normal frames to fit on, " + std::to_string(arguments.inspect_frames) + " to inspect, " +
         std::to_string(defect_kinds().size()) + " kinds of defect");
  return 0;
}

}  // namespace

void add_sample_command(CLI::App& app, int& status) {
  auto arguments = std::make_shared<SampleArguments>();
  CLI::App* command = app.add_subcommand("sample", "render a small inspection scene with known defects");
  command->footer(kExamples);
  command->add_option("--output", arguments->output, "folder to write into")->required()->type_name("DIR");
  command->add_option("--seed", arguments->seed, "the same seed gives the same frames")
      ->check(CLI::Range(std::int64_t{0}, std::numeric_limits<std::int64_t>::max()))
      ->capture_default_str();
  command->add_option("--fit-frames", arguments->fit_frames, "length of normal.mp4")
      ->check(CLI::Range(10, 1000000))
      ->capture_default_str();
  command->add_option("--inspect-frames", arguments->inspect_frames, "length of inspection.mp4, half of it normal")
      ->check(CLI::Range(kMinInspectionFrames, 1000000))
      ->capture_default_str();
  command->callback([arguments, &status] { status = run_sample(*arguments); });
}

}  // namespace padim::tool
