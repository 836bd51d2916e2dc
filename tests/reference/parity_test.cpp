// The whole computation in float32 and geometry `paper` against two independent implementations: the published one
// (resnet18) and a prototype of the default configuration (efficientnet_lite0). Tolerances are those stated with the
// reference results.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/packed_triangle.h"
#include "embedding/image_pipeline.h"
#include "image/preprocess.h"
#include "npy.h"
#include "padim/padim.h"
#include "score/upsampling.h"
#include "shared_data.h"
#include "statistics/mahalanobis.h"

namespace padim::test {
namespace {

nlohmann::json read_json(const fs::path& path) {
  std::ifstream file(path);
  return nlohmann::json::parse(file);
}

std::vector<fs::path> sorted_files(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

double relative_error(double value, double expected) { return std::abs(value - expected) / std::abs(expected); }

// Largest |a - b| / max |b|.
template <class A, class B>
double error_of_largest(const A& a, const B& b) {
  double largest = 0;
  double error = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(b[i])));
    error = std::max(error, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  }
  return error / largest;
}

FitOptions published_options() {
  FitOptions options;
  options.source = SourceKind::images;
  options.geometry = GeometryMode::paper;
  options.grid = Grid::finest;
  options.reduction = ReductionKind::random;
  options.dimensions = 100;
  options.seed = 1024;
  options.epsilon = 0.01;
  return options;
}

// Of version 0.1, which estimated each position by itself.
FitOptions default_options(int radius) {
  FitOptions options;
  options.source = SourceKind::images;
  options.prior = 0;
  options.geometry = GeometryMode::paper;
  options.search_radius = radius;
  return options;
}

// A model fitted on the training images, and the stages up to distances and score maps for the test images.
class Inspection {
 public:
  Inspection(const std::string& backbone_name, const std::string& results, const FitOptions& options)
      : data_(shared_folder("data/hazelnut_toy")), golden_(shared_folder("golden/" + results)) {
    json = read_json(golden_ / "results.json");
    backbone = open_reference_backbone(backbone_name, Precision::float32);
    Fitter fitter(backbone, options);
    for (const fs::path& file : sorted_files(data_ / "train/good")) fitter.add(view_of(read_image(file)));
    model.emplace(fitter.finish());
  }

  [[nodiscard]] std::string golden(const std::string& file) const { return (golden_ / file).string(); }
  [[nodiscard]] cv::Mat image(const std::string& file) const { return read_image(data_ / file); }

  // [P] distances of one image, by the internal stages.
  std::vector<float> distances(const std::string& file) const {
    const ModelInfo& info = model->info();
    ImagePipeline pipeline(backbone, info.geometry, make_embedding(info, model->projection()), 1);
    Mahalanobis mahalanobis(model->mean(), model->whitener(), info.positions, info.dimensions, info.search_radius);
    WorkerPool pool(1);
    std::vector<float> result(static_cast<std::size_t>(info.positions.width * info.positions.height));
    pipeline.push(view_of(image(file)));
    pipeline.run(pool, [&](std::span<const float> embedding) { mahalanobis.run(embedding, result, pool); });
    return result;
  }

  // Image AUROC and pixel AUROC over all test images, with the ground truth cropped as the images are.
  std::pair<double, double> aurocs() const {
    std::vector<float> scores;
    std::vector<float> pixels;
    std::vector<std::uint8_t> labels;
    std::vector<std::uint8_t> truth;
    Detector detector(backbone, *model);
    for (std::size_t i = 0; i < json["test_files"].size(); ++i) {
      const std::string file = json["test_files"][i];
      const Detection& detection = detector.detect(view_of(image(file)));
      scores.push_back(static_cast<float>(detection.raw_score));
      labels.push_back(json["labels"][i].get<int>() != 0);
      pixels.insert(pixels.end(), detection.map.values.begin(), detection.map.values.end());
      append_truth(file, labels.back() != 0, truth);
    }
    return {auroc(scores, labels), auroc(pixels, truth)};
  }

  nlohmann::json json;
  std::shared_ptr<const Backbone> backbone;
  std::optional<Model> model;

 private:
  // Resize(256, nearest), CenterCrop(224), as the published implementation prepares its masks.
  void append_truth(const std::string& file, bool anomalous, std::vector<std::uint8_t>& truth) const {
    constexpr int kCrop = 224;
    constexpr int kMargin = 16;
    cv::Mat mask = cv::Mat::zeros(256, 256, CV_8U);
    if (anomalous) {
      const std::string name = fs::path(file).stem().string() + "_mask.png";
      const cv::Mat full = cv::imread(
          (data_ / "ground_truth" / fs::path(file).parent_path().filename() / name).string(), cv::IMREAD_GRAYSCALE);
      for (int y = 0; y < 256; ++y) {
        for (int x = 0; x < 256; ++x) mask.at<std::uint8_t>(y, x) = full.at<std::uint8_t>(2 * y + 1, 2 * x + 1) > 127;
      }
    }
    for (int y = 0; y < kCrop; ++y) {
      const std::uint8_t* row = mask.ptr<std::uint8_t>(y + kMargin) + kMargin;
      truth.insert(truth.end(), row, row + kCrop);
    }
  }

  fs::path data_;
  fs::path golden_;
};

std::string missing(const std::string& backbone, const std::string& results) {
  if (shared_folder("golden/" + results).empty() || shared_folder("data/hazelnut_toy").empty()) {
    return "the reference results and images are not here";
  }
  if (converted_weights(backbone).empty()) return "the weights of " + backbone + " cannot be had here";
  return "";
}

constexpr char kPublished[] = "hazelnut_toy_resnet18";
constexpr char kDefault[] = "hazelnut_toy_efficientnet_lite0";

// The crop of the published preprocessing (Pillow's Lanczos) is reproduced; a JPEG decoder may differ by one grey
// level.
TEST(Parity, PaperGeometryEqualsPillow) {
  struct Case {
    const char* results;
    const char* file;
    std::vector<std::string> images;
  };
  if (const auto why = missing("resnet18", kPublished); !why.empty()) GTEST_SKIP() << why;
  for (const Case& c : {Case{kPublished, "input_crop_0_1_rgb.npy", {"test/colour/00.jpg", "test/colour/01.jpg"}},
                        Case{kDefault, "input_crop_first_test_image_rgb.npy", {"test/good/04.jpg"}}}) {
    const auto expected = read_npy<std::uint8_t>((shared_folder(std::string("golden/") + c.results) / c.file).string());
    std::vector<std::uint8_t> crop(224 * 224 * 3);
    for (std::size_t i = 0; i < c.images.size(); ++i) {
      const cv::Mat image = read_image(shared_folder("data/hazelnut_toy") / c.images[i]);
      const Size size{image.cols, image.rows};
      Preprocessor(choose_geometry(GeometryMode::paper, {}, size, 16)).run(view_of(image), crop);
      int largest = 0;
      std::size_t different = 0;
      for (std::size_t k = 0; k < crop.size(); ++k) {
        const int difference = std::abs(crop[k] - expected.values[i * crop.size() + k]);
        largest = std::max(largest, difference);
        different += difference != 0;
      }
      EXPECT_LE(largest, 1) << c.images[i];
      EXPECT_LE(different, crop.size() / 100) << c.images[i];
    }
  }
}

// Channels, mean, covariance, distances, score maps, image scores and AUROCs of the published implementation.
TEST(Parity, PublishedConfiguration) {
  if (const auto why = missing("resnet18", kPublished); !why.empty()) GTEST_SKIP() << why;
  const Inspection inspection("resnet18", kPublished, published_options());
  const Model& model = *inspection.model;
  const int d = 100;
  const std::size_t positions = 3136;
  ASSERT_EQ(model.info().positions, (Size{56, 56}));

  const auto channels = read_npy<std::int32_t>(inspection.golden("channels.npy"));
  EXPECT_EQ(model.info().reduction.channels, std::vector<int>(channels.values.begin(), channels.values.end()));

  const auto mean = read_npy<float>(inspection.golden("mean.npy"));
  std::vector<float> transposed(mean.values.size());
  for (std::size_t p = 0; p < positions; ++p) {
    for (std::size_t j = 0; j < d; ++j) transposed[j * positions + p] = model.mean()[p * d + j];
  }
  EXPECT_LT(error_of_largest(transposed, mean.values), 1e-4);

  const auto covariance = read_npy<float>(inspection.golden("covariance_at_positions.npy"));
  std::vector<float> ours;
  for (const std::size_t p : inspection.json["positions"].get<std::vector<std::size_t>>()) {
    for (int i = 0; i < d; ++i) {
      for (int j = 0; j < d; ++j) {
        const std::size_t at =
            p * triangle_size(d) + triangle_row(std::max(i, j)) + static_cast<std::size_t>(std::min(i, j));
        ours.push_back(model.comoment()[at] / 27 + (i == j ? 0.01F : 0));
      }
    }
  }
  EXPECT_LT(error_of_largest(ours, covariance.values), 1e-3);

  const auto distance = read_npy<float>(inspection.golden("distance.npy"));
  const auto maps = read_npy<float>(inspection.golden("score_map_0_5_10.npy"));
  const auto map_files = inspection.json["score_map_files"].get<std::vector<std::string>>();
  Upsampler upsampler(model.info().positions, model.info().geometry.input);
  ScoreMap map;
  std::vector<double> errors;
  for (std::size_t i = 0; i < inspection.json["test_files"].size(); ++i) {
    const std::string file = inspection.json["test_files"][i];
    const auto result = inspection.distances(file);
    for (std::size_t p = 0; p < positions; ++p) {
      errors.push_back(
          relative_error(static_cast<double>(result[p]), static_cast<double>(distance.values[i * positions + p])));
    }
    const float score = upsampler.run(result, map);
    EXPECT_LT(relative_error(static_cast<double>(score), inspection.json["raw_image_score"][i]), 1e-3) << file;
    const auto found = std::find(map_files.begin(), map_files.end(), file);
    if (found == map_files.end()) continue;
    const auto at =
        static_cast<std::ptrdiff_t>(static_cast<std::size_t>(found - map_files.begin()) * map.values.size());
    EXPECT_LT(error_of_largest(map.values, std::vector<float>(maps.values.begin() + at,
                                                              maps.values.begin() + at +
                                                                  static_cast<std::ptrdiff_t>(map.values.size()))),
              1e-3)
        << file;
  }
  std::printf("largest relative error of %zu distances: %.2g\n", errors.size(),
              *std::max_element(errors.begin(), errors.end()));
  EXPECT_LT(*std::max_element(errors.begin(), errors.end()), 1e-3);

  const auto [image_auroc, pixel_auroc] = inspection.aurocs();
  std::printf("image AUROC %.4f, pixel AUROC %.5f\n", image_auroc, pixel_auroc);
  EXPECT_EQ(image_auroc, 1);
  EXPECT_NEAR(pixel_auroc, inspection.json["pixel_auroc"], 5e-4);
}

// Taps, mean, epsilon, distances, image scores and AUROCs of the default configuration, with search radius 0 and 1.
TEST(Parity, DefaultConfiguration) {
  if (const auto why = missing("efficientnet_lite0", kDefault); !why.empty()) GTEST_SKIP() << why;
  for (const int radius : {0, 1}) {
    const Inspection inspection("efficientnet_lite0", kDefault, default_options(radius));
    const Model& model = *inspection.model;
    const auto& results = inspection.json["radius" + std::to_string(radius)];
    EXPECT_LT(error_of_largest(model.mean(), read_npy<float>(inspection.golden("mean.npy")).values), 1e-3);
    EXPECT_LT(relative_error(model.info().epsilon, inspection.json["epsilon"]), 1e-3);

    const auto distance = read_npy<float>(inspection.golden("distance_radius" + std::to_string(radius) + ".npy"));
    Detector detector(inspection.backbone, model);
    double largest = 0;
    for (std::size_t i = 0; i < inspection.json["test_files"].size(); ++i) {
      const std::string file = inspection.json["test_files"][i];
      const auto result = inspection.distances(file);
      for (std::size_t p = 0; p < result.size(); ++p) {
        largest = std::max(largest, relative_error(static_cast<double>(result[p]),
                                                   static_cast<double>(distance.values[i * result.size() + p])));
      }
      const double score = detector.detect(view_of(inspection.image(file))).raw_score;
      EXPECT_LT(relative_error(score, results["raw_image_score"][i]), 2e-3) << file << " radius " << radius;
    }
    std::printf("radius %d: largest relative error of distances: %.2g\n", radius, largest);
    EXPECT_LT(largest, 2e-3);

    const auto [image_auroc, pixel_auroc] = inspection.aurocs();
    std::printf("image AUROC %.4f, pixel AUROC %.5f\n", image_auroc, pixel_auroc);
    EXPECT_EQ(image_auroc, 1);
    EXPECT_NEAR(pixel_auroc, results["pixel_auroc"], 5e-4);
  }
}

// Each tap of the first test image.
TEST(Parity, DefaultTaps) {
  if (const auto why = missing("efficientnet_lite0", kDefault); !why.empty()) GTEST_SKIP() << why;
  const auto backbone = open_reference_backbone("efficientnet_lite0", Precision::float32);
  const fs::path golden = shared_folder(std::string("golden/") + kDefault);
  const auto crop = read_npy<std::uint8_t>((golden / "input_crop_first_test_image_rgb.npy").string());
  std::vector<TapMaps> taps;
  backbone->run(crop.values, 1, 224, 224, taps, 1);
  for (std::size_t t = 0; t < taps.size(); ++t) {
    const std::string name = "tap_" + backbone->info().taps[t].name + "_first_test_image.npy";
    const auto expected = read_npy<float>((golden / name).string());
    const TapMaps& tap = taps[t];
    std::vector<float> planar(tap.values.size());
    const auto pixels = static_cast<std::size_t>(tap.width * tap.height);
    for (std::size_t p = 0; p < pixels; ++p) {
      for (std::size_t c = 0; c < static_cast<std::size_t>(tap.channels); ++c) {
        planar[c * pixels + p] = tap.values[p * static_cast<std::size_t>(tap.channels) + c];
      }
    }
    EXPECT_LT(error_of_largest(planar, expected.values), 1e-3) << name;
  }
}

}  // namespace
}  // namespace padim::test
