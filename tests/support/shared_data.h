#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <opencv2/imgcodecs.hpp>
#include <string>

#include "padim/backbone.h"
#include "padim/image_view.h"

namespace padim::test {

namespace fs = std::filesystem;

inline fs::path environment_path(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? fs::path() : fs::path(value);
}

/// A folder of the reference data, or an empty path where it is absent: the test then skips.
inline fs::path shared_folder(const std::string& name) {
  const fs::path folder = environment_path("PADIM_SHARED") / name;
  return fs::is_directory(folder) ? folder : fs::path();
}

/// Weights of a backbone as .safetensors, converted into the test cache on first use; empty where their source is
/// absent.
inline fs::path converted_weights(const std::string& backbone) {
  const fs::path models = environment_path("PADIM_MODELS");
  const std::string file = backbone + ".safetensors";
  if (fs::exists(models / file)) return models / file;
  const fs::path cache = environment_path("PADIM_TEST_CACHE");
  fs::create_directories(cache);
  if (fs::exists(cache / file)) return cache / file;
  const fs::path folder = shared_folder("weights/" + backbone + "-npy");
  const std::string source = folder.empty() ? "--fetch" : "'" + folder.string() + "'";
  if (folder.empty() && backbone != "efficientnet_lite0") return {};
  const std::string command = "/usr/bin/python3 '" + (models / "convert").string() + "' " + source + " --backbone " +
                              backbone + " --output '" + (cache / file).string() + "'";
  return std::system(command.c_str()) == 0 ? cache / file : fs::path();
}

inline std::shared_ptr<const Backbone> open_reference_backbone(const std::string& name, Precision precision) {
  BackboneOptions options;
  options.name = name;
  options.weights_file = converted_weights(name);
  options.search_path = {environment_path("PADIM_MODELS")};
  options.precision = precision;
  return open_backbone(options);
}

inline cv::Mat read_image(const fs::path& path) {
  cv::Mat image = cv::imread(path.string(), cv::IMREAD_COLOR);
  if (image.empty()) throw std::runtime_error("cannot read " + path.string());
  return image;
}

inline ImageView view_of(const cv::Mat& bgr) {
  return {PixelFormat::bgr,
          bgr.cols,
          bgr.rows,
          {bgr.data, nullptr, nullptr},
          {static_cast<std::ptrdiff_t>(bgr.step[0]), 0, 0}};
}

}  // namespace padim::test
