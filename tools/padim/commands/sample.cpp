#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>

#include "base/output.h"
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
the anomalous frames) and sample.json (which frames show what), all at once in the end. An
earlier sample is replaced, and nothing else.)";

void write_mask(const std::filesystem::path& file, const cv::Mat& mask) {
  std::vector<std::uint8_t> bytes;
  cv::imencode(".png", mask, bytes);
  write_file(file, bytes);
}

constexpr char kNormal[] = "normal.mp4";
constexpr char kInspection[] = "inspection.mp4";
constexpr char kTruth[] = "truth";
constexpr char kDescription[] = "sample.json";

bool is_mask_name(const std::filesystem::path& file) {
  const std::string name = file.filename().string();
  return name.starts_with("frame_") && name.ends_with(".png");
}

// What lies there under the sample's names is replaced where it is a sample, as its description tells.
void check_folder(const std::filesystem::path& folder) {
  if (std::filesystem::exists(folder / kDescription)) return;
  for (const char* name : {kNormal, kInspection, kTruth}) {
    if (!std::filesystem::exists(folder / name)) continue;
    throw Error(ErrorCode::invalid_argument, "--output " + in_quotes(folder) + " would overwrite " +
                                                 in_quotes(folder / name) + ", which is no sample's, as there is no '" +
                                                 kDescription + "'; name a folder of its own");
  }
}

/// Where a sample is rendered: a folder inside the one that it is to lie in, which vanishes with what is still in it.
class Workplace {
 public:
  explicit Workplace(const std::filesystem::path& folder) {
    prepare_folder(folder);
    std::string name = (folder / ".sample-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
      throw Error(ErrorCode::cannot_write, "cannot write into " + in_quotes(folder) + ": " + std::strerror(errno));
    }
    path_ = name;
  }
  ~Workplace() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Workplace(const Workplace&) = delete;
  Workplace& operator=(const Workplace&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// The description comes last: where it lies, the sample is complete. Masks of an earlier, longer run would belong to no
// frame of this one.
void move_sample(const std::filesystem::path& from, const std::filesystem::path& to) try {
  std::filesystem::create_directories(to / kTruth);
  for (const auto& entry : std::filesystem::directory_iterator(to / kTruth)) {
    if (is_mask_name(entry.path())) std::filesystem::remove(entry.path());
  }
  for (const auto& entry : std::filesystem::directory_iterator(from / kTruth)) {
    std::filesystem::rename(entry.path(), to / kTruth / entry.path().filename());
  }
  for (const char* name : {kNormal, kInspection, kDescription}) {
    std::filesystem::rename(from / name, find_output_file(to / name, "sample"));
  }
} catch (const std::filesystem::filesystem_error& error) {
  throw Error(ErrorCode::cannot_write, std::string("cannot write the sample: ") + error.what());
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
      {"normal", {{"file", kNormal}, {"frames", arguments.fit_frames}}},
      {"inspection", {{"file", kInspection}, {"frames", arguments.inspect_frames}, {"truth", kTruth}}},
      {"stretches", stretches},
  };
  return json.dump(2) + "\n";
}

int run_sample(const SampleArguments& arguments) {
  check_folder(arguments.output);
  const Workplace workplace(arguments.output);
  prepare_folder(workplace.path() / kTruth);
  Scene normal(arguments.seed, Footage::normal, normal_timeline(arguments.fit_frames));
  Scene inspection(arguments.seed, Footage::inspection, inspection_timeline(arguments.inspect_frames));
  if (!render(normal, workplace.path() / kNormal, {}) ||
      !render(inspection, workplace.path() / kInspection, workplace.path() / kTruth)) {
    notice("interrupted: " + in_quotes(arguments.output) + " is as it was");
    return interrupt_status();
  }
  write_text(workplace.path() / kDescription, sample_json(arguments, inspection.timeline()));
  move_sample(workplace.path(), arguments.output);
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
