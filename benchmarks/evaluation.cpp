// evaluation PADIM: how quickly `padim eval` judges a class of 320 training and 160 test images of 1024x1024, which
// this program draws, beside the bare trunk on all cores at the same network input, and the most memory that it takes.
// A row counts only if the evaluation told every defective image from every normal one. Networks without weights are
// skipped.

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "padim/padim.h"
#include "scratch_folder.h"

namespace {

constexpr int kSide = 1024;
constexpr int kTraining = 320;
constexpr int kNormal = 80;
constexpr int kDefective = 80;
constexpr int kDistinct = 16;  // images of a kind; those between are links to them, which take as long to read

// A fibrous surface with sensor noise: compresses to 1.7 MB, as MVTec AD's images do.
cv::Mat surface(int number) {
  cv::theRNG().state = static_cast<std::uint64_t>(number) + 1;
  cv::Mat image(kSide, kSide, CV_8UC3);
  for (int y = 0; y < kSide; ++y) {
    for (int x = 0; x < kSide; ++x) {
      const double fibre = 40 * std::sin(x / 9.0) * std::cos((x + 3 * y) / 31.0);
      image.at<cv::Vec3b>(y, x) = {static_cast<std::uint8_t>(110 + fibre), static_cast<std::uint8_t>(130 + fibre),
                                   static_cast<std::uint8_t>(150 - fibre)};
    }
  }
  cv::Mat noise(image.size(), CV_16SC3);
  cv::randn(noise, cv::Scalar::all(0), cv::Scalar::all(1.5));
  cv::add(image, noise, image, cv::noArray(), CV_8U);
  return image;
}

struct Kind {
  const char* folder;
  int images;
  bool defective;
  int surface;  // number of its first one
};

void write_kind(const std::filesystem::path& data, const Kind& kind) {
  const std::filesystem::path folder = data / kind.folder;
  std::filesystem::create_directories(folder);
  std::filesystem::create_directories(data / "ground_truth" / "hole");
  for (int i = 0; i < kind.images; ++i) {
    const std::string name = std::to_string(1000 + i);
    const int first = i - i % (kind.images / kDistinct);
    const std::string twin = std::to_string(1000 + first);
    const auto link = [&](const std::filesystem::path& parent, const std::string& end) {
      std::filesystem::create_hard_link(parent / (twin + end), parent / (name + end));
    };
    if (i != first) {
      link(folder, ".png");
      if (kind.defective) link(data / "ground_truth" / "hole", "_mask.png");
      continue;
    }
    cv::Mat image = surface(kind.surface + i);
    if (kind.defective) {
      const cv::Point centre(200 + 7 * i, 800 - 8 * i);
      cv::Mat mask = cv::Mat::zeros(image.size(), CV_8U);
      cv::circle(mask, centre, 40, 255, cv::FILLED);
      cv::circle(image, centre, 40, cv::Scalar(20, 30, 60), cv::FILLED);
      cv::imwrite((data / "ground_truth" / "hole" / (name + "_mask.png")).string(), mask);
    }
    cv::imwrite((folder / (name + ".png")).string(), image);
  }
}

void write_data(const std::filesystem::path& data) {
  for (const Kind& kind : {Kind{"train/good", kTraining, false, 0}, Kind{"test/good", kNormal, false, 100},
                           Kind{"test/hole", kDefective, true, 200}}) {
    write_kind(data, kind);
  }
}

struct Usage {
  double seconds = 0;
  double processor_seconds = 0;  // over all cores
  double peak_mib = 0;
};

// Runs a command with its output sent to standard error.
Usage run(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  const auto start = std::chrono::steady_clock::now();
  const pid_t child = fork();
  if (child == 0) {
    dup2(STDERR_FILENO, STDOUT_FILENO);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  int status = 0;
  rusage usage{};
  if (child < 0 || wait4(child, &status, 0, &usage) < 0 || status != 0)
    throw std::runtime_error(command[0] + " failed");
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return {std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(),
          seconds(usage.ru_utime) + seconds(usage.ru_stime), static_cast<double>(usage.ru_maxrss) / 1024};
}

// Images per second of the network alone, one per core.
double trunk_rate(const padim::Backbone& backbone, int side) {
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  const int images = backbone.info().name == "efficientnet_lite0" ? 400 : 60;
  const std::vector<std::uint8_t> image(static_cast<std::size_t>(side) * static_cast<std::size_t>(side) * 3, 99);
  const auto work = [&](int count) {
    std::vector<padim::TapMaps> taps;
    for (int i = 0; i < count; ++i) backbone.run(image, 1, side, side, taps, 1);
  };
  work(5);
  const auto start = std::chrono::steady_clock::now();
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < cores; ++t) threads.emplace_back(work, images);
  }
  return cores * images / std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void check_results(const std::filesystem::path& save) {
  std::ifstream file(save / "results.csv");
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  if (text.find(",80,80,80,1.000000,") == std::string::npos) throw std::runtime_error("image AUROC is not 1:\n" + text);
}

struct Configuration {
  const char* name;
  const char* backbone;
  padim::Precision precision;
  int side;  // of the network input
  std::vector<std::string> options;
};

void measure(const Configuration& configuration, const std::string& tool, const padim::test::ScratchFolder& folder) {
  padim::BackboneOptions options;
  options.name = configuration.backbone;
  options.precision = configuration.precision;
  if (const char* search = std::getenv("PADIM_BACKBONES")) options.search_path = {search};
  std::shared_ptr<const padim::Backbone> backbone;
  try {
    backbone = padim::open_backbone(options);
  } catch (const padim::Error& error) {
    if (error.code() != padim::ErrorCode::not_found) throw;
    std::printf("| %s | skipped: no weights of %s | | | | |\n", configuration.name, configuration.backbone);
    return;
  }
  const double trunk = trunk_rate(*backbone, configuration.side);
  backbone.reset();
  const std::filesystem::path save = folder.path() / "results";
  std::vector<std::string> command = {tool,     "eval", "--data",     folder.path() / "surface",
                                      "--save", save,   "--backbone", configuration.backbone};
  command.insert(command.end(), configuration.options.begin(), configuration.options.end());
  const Usage usage = run(command);
  check_results(save);
  const double rate = (kTraining + kNormal + kDefective) / usage.seconds;
  std::printf("| %s | %.1f | %.1f | %.1f | %.2f | %.0f |\n", configuration.name, usage.seconds, usage.processor_seconds,
              rate, rate / trunk, usage.peak_mib);
  std::fflush(stdout);
}

int benchmark(const std::string& tool) {
  const padim::test::ScratchFolder folder;
  write_data(folder.path() / "surface");
  std::puts(
      "| 320 + 160 images of 1024x1024 | s | processor s | images/s | ratio to the bare trunk | peak memory, MiB |");
  std::puts("|---|---|---|---|---|---|");
  const std::vector<Configuration> configurations = {
      {"default, figures only", "efficientnet_lite0", padim::Precision::automatic, 256, {"--no-pictures"}},
      {"default, with pictures and report", "efficientnet_lite0", padim::Precision::automatic, 256, {}},
      {"published, ResNet18", "resnet18", padim::Precision::float32, 224, {"--no-pictures", "--protocol", "reference"}},
      {"published, WideResNet-50-2",
       "wide_resnet50_2",
       padim::Precision::float32,
       224,
       {"--no-pictures", "--protocol", "reference"}},
  };
  for (const Configuration& configuration : configurations) measure(configuration, tool, folder);
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    if (count == 2) return benchmark(arguments[1]);
    std::fputs("usage: evaluation PADIM\n", stderr);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "evaluation: %s\n", error.what());
  }
  return 1;
}
