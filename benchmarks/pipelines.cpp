// Bare trunk, whole Detector, whole Fitter and whole element in one process, taking turns so that whatever else the
// machine does meets all of them; of each the best turn counts. Prints Markdown rows: frames per second, and the ratio
// to the bare trunk on as many threads. Before anything is timed: both engines' taps agree, the fit's model tells a
// damaged frame from a normal one, and the element gives the Detector's score.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <thread>

#include "libtorch.h"
#include "pipeline_parts.h"

namespace {

using namespace padim::bench;
using padim::Backbone;

constexpr int kFitted = 32;
constexpr int kTurns = 40;
constexpr int kFrames = 16;  // of each turn: what a fit folds in at once
constexpr double kBudget = 0.80;

void require(bool right, const std::string& what) {
  if (right) return;
  std::fprintf(stderr, "wrong result: %s\n", what.c_str());
  std::exit(1);
}

// The network alone, on pictures of the model's input size.
class Trunk {
 public:
  Trunk(std::shared_ptr<const Backbone> backbone, padim::Size input) : backbone_(std::move(backbone)), input_(input) {
    for (std::size_t i = 0; i < static_cast<std::size_t>(input.width * input.height * 3); ++i) {
      image_.push_back(static_cast<std::uint8_t>((i * 2654435761U) >> 24));
    }
  }

  void run(int frames, std::vector<padim::TapMaps>& taps) const {
    for (int i = 0; i < frames; ++i) backbone_->run(image_, 1, input_.height, input_.width, taps, 1);
  }

  // Frames shared by threads that each run the network on their own.
  void run_parallel(int frames, std::vector<std::vector<padim::TapMaps>>& taps) const {
    std::vector<std::thread> threads;
    for (auto& own : taps) threads.emplace_back([&] { run(frames / static_cast<int>(taps.size()), own); });
    for (std::thread& thread : threads) thread.join();
  }

 private:
  std::shared_ptr<const Backbone> backbone_;
  padim::Size input_;
  std::vector<std::uint8_t> image_;
};

void check_trunks(const Trunk& trunk, const Trunk& libtorch) {
  std::vector<padim::TapMaps> ours;
  std::vector<padim::TapMaps> theirs;
  trunk.run(1, ours);
  libtorch.run(1, theirs);
  for (std::size_t t = 0; t < ours.size(); ++t) {
    double error = 0;
    double size = 0;
    require(ours[t].values.size() == theirs[t].values.size(), "size of a tap");
    for (std::size_t i = 0; i < ours[t].values.size(); ++i) {
      error += std::abs(static_cast<double>(ours[t].values[i] - theirs[t].values[i]));
      size += std::abs(static_cast<double>(theirs[t].values[i]));
    }
    require(error < 0.1 * size, "the engines' taps differ");
  }
}

// Frames per second of each contender's best turn.
class Race {
 public:
  // What `prepare` does before each turn is not timed.
  void enter(
      const std::string& name, std::function<void()> work, std::function<void()> prepare = [] {}) {
    contenders_.push_back({name, std::move(work), std::move(prepare)});
  }

  void run() {
    for (int turn = 0; turn < kTurns; ++turn) {
      for (const auto& [name, work, prepare] : contenders_) {
        prepare();
        best_[name] = std::max(best_[name], kFrames / seconds_of(work));
      }
    }
  }

  void print(const std::string& what, const std::string& name, const std::string& trunk, bool budgeted) const {
    const double ratio = best_.at(name) / best_.at(trunk);
    std::printf("| %s | %.0f | %.2f | %s |\n", what.c_str(), best_.at(name), ratio,
                budgeted ? (ratio >= kBudget ? "0.80" : "0.80, missed") : "");
  }

 private:
  struct Contender {
    std::string name;
    std::function<void()> work;
    std::function<void()> prepare;
  };

  std::vector<Contender> contenders_;
  std::map<std::string, double> best_;
};

void compare(const std::shared_ptr<const Backbone>& backbone, int width, int height, const std::string& file) {
  Camera camera(width, height, kFitted);
  padim::Fitter fitter(backbone, {});
  for (int i = 0; i < kFitted; ++i) fitter.add(camera.view(i));
  const padim::Model model = fitter.finish();
  model.save(file);
  padim::Detector detector(backbone, model);

  Camera damaged = camera;
  damaged.damage(0);
  require(!padim::Detection(detector.detect(camera.view(1))).anomalous, "a fitted frame is anomalous");
  require(detector.detect(damaged.view(0)).anomalous, "a damaged frame is normal");
  {
    ElementPipeline pipeline(damaged, file);
    pipeline.play();
    pipeline.load(0, 1);
    pipeline.run();
    require(std::abs(pipeline.last_score() - detector.detect(damaged.view(0)).score) < 1e-9,
            "element and Detector score differently");
  }

  const padim::Size input = model.info().geometry.input;
  const Trunk trunk(backbone, input);
  const Trunk libtorch(open_on_libtorch(backbone->info().name, padim::parse_precision(backbone->info().precision)),
                       input);
  check_trunks(trunk, libtorch);
  ElementPipeline element(camera, file);
  element.play();
  element.load(0, kFrames);
  element.run();
  std::vector<padim::TapMaps> taps;
  std::vector<std::vector<padim::TapMaps>> parallel(std::max(std::thread::hardware_concurrency(), 1U));

  Race race;
  race.enter("trunk", [&] { trunk.run(kFrames, taps); });
  race.enter("detector", [&] {
    for (int i = 0; i < kFrames; ++i) detector.detect(camera.view(i));
  });
  race.enter(
      "element", [&] { element.run(); }, [&] { element.load(0, kFrames); });
  race.enter("parallel trunk", [&] { trunk.run_parallel(kFrames, parallel); });
  race.enter("fitter", [&] {
    for (int i = 0; i < kFrames; ++i) fitter.add(camera.view(i));
  });
  race.enter("libtorch", [&] { libtorch.run(kFrames, taps); });
  race.run();

  const std::string frame = to_string(padim::Size{width, height});
  const std::string net = to_string(input);
  const std::string cores = std::to_string(parallel.size()) + " threads";
  race.print("bare trunk, " + net, "trunk", "trunk", false);
  race.print("whole Detector, " + frame, "detector", "trunk", false);
  race.print("whole element, " + frame, "element", "trunk", true);
  race.print("bare trunk on LibTorch, " + net, "libtorch", "trunk", false);
  race.print("whole element against LibTorch's bare trunk", "element", "libtorch", true);
  race.print("bare trunk, " + net + ", " + cores, "parallel trunk", "parallel trunk", false);
  race.print("whole Fitter, " + frame + ", " + cores, "fitter", "parallel trunk", true);
}

}  // namespace

int main(int count, char** arguments) {
  gst_init(&count, &arguments);
  const auto backbone = open_or_skip("efficientnet_lite0");
  const std::string file = std::filesystem::temp_directory_path() / "padim-pipelines.padim";
  std::printf("| %s, %s, one frame at a time | frames/s | ratio to the bare trunk | budget |\n|---|---|---|---|\n",
              backbone->info().name.c_str(), backbone->info().precision.c_str());
  compare(backbone, 640, 480, file);
  compare(backbone, 1920, 1080, file);
  std::filesystem::remove(file);
  return 0;
}
