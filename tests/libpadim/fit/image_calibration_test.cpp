#include "fit/image_calibration.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

#include "plain_model.h"
#include "statistics/calibration.h"

namespace padim::test {
namespace {

ModelInfo info_of(Size positions, int dimensions, double prior = 30) {
  return plain_info(positions, dimensions, SourceKind::images, prior);
}

Calibration calibrated(const Segments& segments, const ModelInfo& info) {
  WorkerPool pool(1);
  Segments flushed = segments;
  flushed.flush(pool);
  const WhitenedGaussians model(flushed.statistics(), info, pool);
  return calibrate_images(flushed, model, info, pool, [](double) {});
}

Segments folder(const Frames& images, const ModelInfo& info, const Frames& copies = {}, int stored = 256,
                double weight = 1) {
  WorkerPool pool(1);
  Segments segments(info.positions.width * info.positions.height, info.dimensions, {8, stored});
  append(segments, images, pool, copies, weight);
  return segments;
}

// The score of each image by a fit of all others.
std::vector<float> left_out_one_by_one(const Frames& images, const ModelInfo& info) {
  std::vector<float> scores;
  for (int i = 0; i < static_cast<int>(images.size()); ++i) {
    scores.push_back(PlainModel(without(images, {i}), info).score(images[static_cast<std::size_t>(i)]));
  }
  return scores;
}

void expect_near(const std::vector<float>& found, const std::vector<float>& expected, double tolerance) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i] / expected[i], 1, tolerance) << i;
}

// Few images are all left out for good, pooled covariance and epsilon included: fits of the test's own in double
// precision give the same scores.
TEST(ImageCalibration, EqualsRefitsOfFewImages) {
  for (const int count : {3, 4, 8, 15, 16}) {
    for (const int radius : {0, 1}) {
      SCOPED_TRACE(std::to_string(count) + " images, radius " + std::to_string(radius));
      ModelInfo info = info_of({4, 3}, 6);
      info.search_radius = radius;
      const Frames images = noisy_frames(info, count);
      const Calibration calibration = calibrated(folder(images, info), info);
      const std::vector<float> expected = left_out_one_by_one(images, info);
      expect_near(calibration.scores, expected, 2e-3);
      EXPECT_EQ(calibration.rule, "images");
      EXPECT_EQ(calibration.source, SourceKind::images);
      EXPECT_EQ(calibration.segments, 0);
      EXPECT_NEAR(calibration.distinct, count, 1e-9);
      const double threshold = calibrate_images({expected, static_cast<double>(count), 1, {}}, 0.01).threshold;
      EXPECT_GE(calibration.threshold, threshold * 0.99);
      EXPECT_LE(calibration.threshold, threshold * (count < 16 ? 1.01 : 1.1));
    }
  }
}

// Of more images a few are left out for good, and tell by how much the closed form is too low.
TEST(ImageCalibration, IsCloseToRefitsOfMoreImages) {
  for (const int count : {17, 30, 70}) {
    const ModelInfo info = info_of({4, 3}, 6);
    const Frames images = noisy_frames(info, count);
    expect_near(calibrated(folder(images, info), info).scores, left_out_one_by_one(images, info), 0.03);
  }
}

// Without a prior there is no pooled covariance that could keep an image's share: the closed form alone.
TEST(ImageCalibration, IsCloseToRefitsWithoutAPrior) {
  const ModelInfo info = info_of({4, 3}, 6, 0);
  const Frames images = noisy_frames(info, 40);
  expect_near(calibrated(folder(images, info), info).scores, left_out_one_by_one(images, info), 0.03);
}

// Of more images than are stored each is taken out of all.
TEST(ImageCalibration, TakesStoredImagesOutOfAll) {
  const ModelInfo info = info_of({3, 2}, 4);
  const Frames images = noisy_frames(info, 96);
  const Calibration calibration = calibrated(folder(images, info, {}, 24), info);
  ASSERT_GE(calibration.scores.size(), 12U);
  const std::size_t stride = images.size() / calibration.scores.size();
  for (std::size_t i = 0; i < calibration.scores.size(); ++i) {
    const auto image = static_cast<int>(i * stride);
    const float expected = PlainModel(without(images, {image}), info).score(images[i * stride]);
    EXPECT_NEAR(calibration.scores[i] / expected, 1, 0.03) << image;
  }
}

// Nothing is known of the spread of two images: 2.5 times their mean score by the other one alone with the pooled
// covariance of both, by the factor of a stream.
TEST(ImageCalibration, OfTwoImages) {
  const ModelInfo info = info_of({4, 3}, 6);
  const Frames images = noisy_frames(info, 2);
  const PlainModel both(images, info);
  // What is left of the covariance without either: S, and epsilon (1 + nu) / nu.
  const Eigen::MatrixXd sigma =
      both.pooled() + both.epsilon() * (1 + info.prior) / info.prior * Eigen::MatrixXd::Identity(6, 6);
  std::vector<float> distances;
  for (int p = 0; p < 12; ++p) {
    const Eigen::Map<const Eigen::VectorXf> a(images[0].data() + p * 6, 6);
    const Eigen::Map<const Eigen::VectorXf> b(images[1].data() + p * 6, 6);
    const Eigen::VectorXd y = a.cast<double>() - b.cast<double>();
    distances.push_back(static_cast<float>(std::sqrt(y.dot(sigma.llt().solve(y)))));
  }
  ScoreMap map;
  const float score = Upsampler(info.positions, info.geometry.input).run(distances, map);
  const Calibration calibration = calibrated(folder(images, info), info);
  expect_near(calibration.scores, {2.5F * score, 2.5F * score}, 2e-3);
  EXPECT_NEAR(calibration.threshold / (2.5 * static_cast<double>(score) * 1.7841671074423933), 1, 2e-3);
}

// An image leaves together with its augmented copies, and all of them count as one image: also where each counted in
// full in the statistics, as in models of version 0.1.
TEST(ImageCalibration, LeavesCopiesOutWithTheirImages) {
  const ModelInfo info = info_of({4, 3}, 6);
  for (const int count : {9, 30}) {
    const Frames images = noisy_frames(info, count);
    for (const int each : {1, 3}) {
      Frames copies;
      for (const auto& image : images) {
        for (int k = 1; k <= each; ++k) copies.push_back(shifted(image, 0.25F * static_cast<float>(k)));
      }
      const double share = 1.0 / (1 + each);
      std::vector<float> expected;
      for (int i = 0; i < count; ++i) {
        Frames rest = without(images, {i});
        std::vector<int> own(static_cast<std::size_t>(each));
        std::iota(own.begin(), own.end(), i * each);
        for (const auto& copy : without(copies, own)) rest.push_back(copy);
        const std::vector<double> weights(rest.size(), share);
        expected.push_back(PlainModel(rest, info, weights).score(images[static_cast<std::size_t>(i)]));
      }
      for (const double weight : {share, 1.0}) {
        SCOPED_TRACE(std::to_string(count) + " images, " + std::to_string(each) + " copies of weight " +
                     std::to_string(weight));
        const Calibration calibration = calibrated(folder(images, info, copies, 256, weight), info);
        expect_near(calibration.scores, expected, count == 9 ? 2e-3 : 0.03);
      }
    }
  }
}

// How far the threshold lies above the scores of new images.
double margin(const Frames& images, const ModelInfo& info) {
  const PlainModel model(images, info);
  double mean = 0;
  for (std::uint32_t i = 0; i < 20; ++i) mean += static_cast<double>(model.score(noisy_frame(info, 9000 + i))) / 20;
  return calibrated(folder(images, info), info).threshold / mean;
}

// Every image twice, exactly or nearly: new images lie as far below the threshold as with the images once.
TEST(ImageCalibration, IsNotFooledByTheSameImagesTwice) {
  for (const int count : {6, 12, 30}) {
    for (const float noise : {0.0F, 0.1F}) {
      SCOPED_TRACE(std::to_string(count) + " images twice, noise " + std::to_string(noise));
      const ModelInfo info = info_of({4, 3}, 6);
      const Frames once = noisy_frames(info, count);
      Frames twice = once;
      for (std::uint32_t i = 0; i < once.size(); ++i) {
        const std::vector<float> values = normal_floats(once[i].size(), 7000 + i, 0, noise);
        twice.push_back(once[i]);
        for (std::size_t j = 0; j < values.size(); ++j) {
          twice.back()[j] = half_to_float(float_to_half(twice.back()[j] + values[j]));
        }
      }
      EXPECT_NEAR(calibrated(folder(twice, info), info).distinct, count, 1e-9);
      EXPECT_NEAR(margin(twice, info) / margin(once, info), 1, 0.1);
    }
  }
}

// The same of many variants of few images, and where two pictures are all there is.
TEST(ImageCalibration, IsNotFooledByVariantsOfFewImages) {
  for (const auto& [count, variants] : {std::pair{5, 8}, {8, 4}, {2, 2}, {2, 3}}) {
    SCOPED_TRACE(std::to_string(count) + " images, " + std::to_string(variants) + " variants");
    const ModelInfo info = info_of({4, 3}, 6);
    const Frames once = noisy_frames(info, count);
    Frames all;
    for (std::uint32_t i = 0; i < once.size() * static_cast<std::size_t>(variants); ++i) {
      all.push_back(once[i / static_cast<std::size_t>(variants)]);
      const std::vector<float> values = normal_floats(all.back().size(), 8000 + i, 0, 0.1F);
      for (std::size_t j = 0; j < values.size(); ++j) {
        all.back()[j] = half_to_float(float_to_half(all.back()[j] + values[j]));
      }
    }
    EXPECT_NEAR(calibrated(folder(all, info), info).distinct, count, 1e-9);
    EXPECT_GT(margin(all, info), 0.7 * margin(once, info));
    EXPECT_LT(margin(all, info), 2 * margin(once, info));
  }
}

// Images that come in groups, each with a look of its own: how much higher an eighth of them scores when it leaves with
// both neighbouring eighths than with as many from all over, by refits, geometric mean.
double order_factor(const Frames& images, const ModelInfo& info) {
  const auto n = static_cast<int>(images.size());
  const int block = n / 8;
  std::mt19937 generator(99);
  double logs = 0;
  int counted = 0;
  for (int first = 0; first < n; first += block) {
    std::vector<int> scored(static_cast<std::size_t>(block));
    std::iota(scored.begin(), scored.end(), first);
    std::vector<int> neighbours;
    for (int i = std::max(first - block, 0); i < std::min(first + 2 * block, n); ++i) neighbours.push_back(i);
    std::vector<int> others = scored;
    while (others.size() < neighbours.size()) {
      const int i = random_int(generator, 0, n - 1);
      if (std::ranges::find(others, i) == others.end()) others.push_back(i);
    }
    const PlainModel in_order(without(images, neighbours), info);
    const PlainModel in_disorder(without(images, others), info);
    for (const int i : scored) {
      const auto& image = images[static_cast<std::size_t>(i)];
      logs += std::log(in_order.score(image) / in_disorder.score(image));
      ++counted;
    }
  }
  return std::exp(logs / counted);
}

// Where neighbours in order belong together the threshold rises by what they hide; where they do not it stays.
TEST(ImageCalibration, SeesGroupsInTheOrder) {
  const ModelInfo info = info_of({4, 3}, 6);
  for (const int count : {32, 48}) {
    for (const float depth : {0.0F, 1.5F}) {
      Frames images = noisy_frames(info, count);
      const int block = count / 8;
      for (int i = 0; i < count; ++i) {
        const std::vector<float> look = noisy_frame(info, static_cast<std::uint32_t>(5000 + i / (2 * block)), depth);
        const std::vector<float> none = noisy_frame(info, 1, 0);
        auto& image = images[static_cast<std::size_t>(i)];
        for (std::size_t j = 0; j < image.size(); ++j) {
          image[j] = half_to_float(float_to_half(image[j] + look[j] - none[j]));
        }
      }
      const Calibration calibration = calibrated(folder(images, info), info);
      const double without_order = calibrate_images({calibration.scores, calibration.distinct, 1, {}}, 0.01).threshold;
      const double expected = std::max(order_factor(images, info), 1.0);
      EXPECT_NEAR(calibration.threshold / without_order / expected, 1, 0.1) << count << " images, " << depth;
      if (depth > 0) {
        EXPECT_GT(expected, 1.15) << "the scene has no groups";
      }
    }
  }
}

// A learned stretch is scored by all that lies outside of it, and is no image among the others.
TEST(ImageCalibration, ScoresAStretchByTheRest) {
  WorkerPool pool(1);
  const ModelInfo info = info_of({4, 3}, 6);
  const Frames images = noisy_frames(info, 12);
  Frames shown;
  for (std::uint32_t i = 0; i < 5; ++i) shown.push_back(shifted(noisy_frame(info, 300 + i), 3));
  Segments segments = folder(images, info);
  segments.set_limits({9, 270});
  segments.begin_stretch();
  append(segments, shown, pool);
  segments.close_segment();
  const Calibration calibration = calibrated(segments, info);
  ASSERT_EQ(calibration.scores.size(), 17U);
  EXPECT_EQ(calibration.rule, "stretch");
  Frames all = images;
  all.insert(all.end(), shown.begin(), shown.end());
  const PlainModel rest(images, info);
  for (std::size_t i = 0; i < 12; ++i) {
    const PlainModel others(without(all, {static_cast<int>(i)}), info);
    EXPECT_NEAR(calibration.scores[i] / others.score(images[i]), 1, 2e-3);
  }
  for (std::size_t i = 0; i < 5; ++i) EXPECT_NEAR(calibration.scores[12 + i] / rest.score(shown[i]), 1, 2e-3);
}

// Images that are all alike have scores of 0; that is no reason for a threshold that is none.
TEST(ImageCalibration, TakesImagesThatAreAllAlike) {
  const ModelInfo info = info_of({2, 2}, 3);
  for (const int count : {2, 5, 20, 40}) {
    const Frames images(static_cast<std::size_t>(count), noisy_frame(info, 5));
    EXPECT_EQ(calibrated(folder(images, info), info).threshold, kSmallestThreshold) << count;
  }
  Frames mostly(20, noisy_frame(info, 5));
  mostly[3] = noisy_frame(info, 6);
  EXPECT_TRUE(std::isfinite(calibrated(folder(mostly, info), info).threshold));
}

}  // namespace
}  // namespace padim::test
