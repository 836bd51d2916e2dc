// A frame is: the board's picture, moved by where the board was put down and by the camera's vibration, scaled to the
// sensor, lit, and read out with noise that grows with the light. Amplitudes are those of a cheap but stable station.
#include "sample/scene.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <opencv2/imgproc.hpp>

#include "sample/board.h"

namespace padim::tool {
namespace {

constexpr int kFramesPerBoard = 6;       // then the next board is put down
constexpr double kPlacement = 0.7;       // frame pixels to each side
constexpr double kPlacementTurn = 0.12;  // degrees to each side
constexpr double kVibration = 0.22;      // deviation, frame pixels
constexpr double kFlicker = 0.02;        // amplitude of the lamp's slow swing
constexpr double kUnrest = 0.006;        // deviation of the lamp from frame to frame
constexpr double kShadow = 0.06;         // what the drifting shadow takes away at its darkest
constexpr double kReadNoise = 1.2;       // deviation, grey levels
constexpr double kShotNoise = 0.12;      // deviation per square root of a grey level

enum SeedOf : std::uint64_t { kSeedOfBoard = 1, kSeedOfFrame = 2, kSeedOfNoise = 3 };

std::uint64_t mix(std::uint64_t value) {  // splitmix64
  value += 0x9E3779B97F4A7C15U;
  value = (value ^ (value >> 30U)) * 0xBF58476D1CE4E5B9U;
  value = (value ^ (value >> 27U)) * 0x94D049BB133111EBU;
  return value ^ (value >> 31U);
}

// Neither a mount nor a lamp has the far tails of the normal distribution.
double bounded_gaussian(cv::RNG& random, double deviation) {
  return std::clamp(random.gaussian(deviation), -2 * deviation, 2 * deviation);
}

cv::Mat draw_lamp() {
  cv::Mat lamp(kSceneSize, CV_32FC1);
  for (int y = 0; y < lamp.rows; ++y) {
    for (int x = 0; x < lamp.cols; ++x) {
      const double u = static_cast<double>(x) / lamp.cols - 0.42;
      const double v = static_cast<double>(y) / lamp.rows - 0.38;
      lamp.at<float>(y, x) = static_cast<float>(1.1 - 0.42 * (u * u + v * v));
    }
  }
  return lamp;
}

cv::Mat add_noise(const cv::Mat& light, std::uint64_t seed) {
  cv::Mat noise(light.size(), CV_32FC3);
  cv::RNG random(seed);
  random.fill(noise, cv::RNG::NORMAL, 0, 1);
  cv::Mat deviation;
  cv::sqrt(light, deviation);
  deviation = deviation * kShotNoise + cv::Scalar::all(kReadNoise);
  cv::Mat picture;
  cv::Mat(light + noise.mul(deviation)).convertTo(picture, CV_8UC3);
  return picture;
}

}  // namespace

struct Scene::View {
  cv::Mat transform;  ///< from board to frame coordinates, 2 x 3
  double brightness = 1;
  double shadow_x = 0;  ///< centre of the drifting shadow, frame pixels
};

std::vector<Stretch> normal_timeline(int frames) { return {{"normal", 0, frames}}; }

std::vector<Stretch> inspection_timeline(int frames) {
  const auto& kinds = defect_kinds();
  const int count = static_cast<int>(kinds.size());
  const int defect_length = frames / 2 / count;
  const int normal_frames = frames - defect_length * count;
  std::vector<Stretch> timeline;
  int begin = 0;
  const auto append = [&](const std::string& kind, int length) {
    timeline.push_back({kind, begin, begin + length});
    begin += length;
  };
  for (int i = 0; i < count; ++i) {
    append("normal", normal_frames * (i + 1) / (count + 1) - normal_frames * i / (count + 1));
    append(kinds[static_cast<std::size_t>(i)], defect_length);
  }
  append("normal", frames - begin);
  return timeline;
}

Scene::Scene(std::uint64_t seed, Footage footage, std::vector<Stretch> timeline)
    : seed_(seed), footage_(footage), timeline_(std::move(timeline)), good_(draw_good_board(seed)), lamp_(draw_lamp()) {
  shown_ = good_;
  soften();
}

// The lens is a little softer than the board is drawn; this also keeps the scaling down free of aliasing.
void Scene::soften() {
  cv::Mat soft;
  cv::GaussianBlur(shown_.picture, soft, {}, 0.8);
  shown_.picture = soft;
}

std::uint64_t Scene::seed_of(std::uint64_t what, std::uint64_t index) const {
  return mix(mix(mix(seed_) + what * 4 + static_cast<std::uint64_t>(footage_)) + index);
}

void Scene::enter_stretch(int frame) {
  const std::size_t before = stretch_;
  while (frame >= timeline_[stretch_].end) ++stretch_;
  if (stretch_ == before) return;
  const Stretch& stretch = timeline_[stretch_];
  shown_ = stretch.is_normal() ? good_ : draw_defective_board(good_, stretch.kind, seed_);
  soften();
}

Scene::View Scene::view_of(int frame) const {
  const int board = (frame - timeline_[stretch_].begin) / kFramesPerBoard;
  cv::RNG placement(seed_of(kSeedOfBoard, static_cast<std::uint64_t>(board) * 1000 + stretch_));
  cv::RNG shake(seed_of(kSeedOfFrame, static_cast<std::uint64_t>(frame)));
  const double x = placement.uniform(-kPlacement, kPlacement) + bounded_gaussian(shake, kVibration);
  const double y = placement.uniform(-kPlacement, kPlacement) + bounded_gaussian(shake, kVibration);
  const double turn = placement.uniform(-kPlacementTurn, kPlacementTurn);
  View view;
  const cv::Point2d centre(kBoardSize.width / 2.0, kBoardSize.height / 2.0);
  view.transform = cv::getRotationMatrix2D(centre, turn, 1.0 / kBoardScale);
  // Pixel centres: half a frame pixel is one board pixel minus half of one.
  const double half = 0.5 / kBoardScale - 0.5;
  view.transform.at<double>(0, 2) += x + half - centre.x + kSceneSize.width / 2.0;
  view.transform.at<double>(1, 2) += y + half - centre.y + kSceneSize.height / 2.0;
  view.brightness = 1 + kFlicker * std::sin(frame * 0.23) + bounded_gaussian(shake, kUnrest);
  view.shadow_x = kSceneSize.width * (0.5 + 0.7 * std::sin(frame * 2 * CV_PI / 170));
  return view;
}

cv::Mat Scene::light_of(const View& view) const {
  cv::Mat across(1, kSceneSize.width, CV_32FC1);
  for (int x = 0; x < across.cols; ++x) {
    const double distance = (x - view.shadow_x) / 170;
    across.at<float>(0, x) = static_cast<float>(view.brightness * (1 - kShadow * std::exp(-distance * distance)));
  }
  cv::Mat light;
  cv::repeat(across, kSceneSize.height, 1, light);
  light = light.mul(lamp_);
  cv::merge(std::vector<cv::Mat>(3, light), light);
  return light;
}

SceneFrame Scene::render(int frame) {
  enter_stretch(frame);
  const View view = view_of(frame);
  cv::Mat moved;
  cv::warpAffine(shown_.picture, moved, view.transform, kSceneSize, cv::INTER_LINEAR, cv::BORDER_REPLICATE);
  moved.convertTo(moved, CV_32FC3);
  SceneFrame result;
  result.picture = add_noise(moved.mul(light_of(view)), seed_of(kSeedOfNoise, static_cast<std::uint64_t>(frame)));
  if (!timeline_[stretch_].is_normal()) {
    cv::warpAffine(shown_.truth, result.truth, view.transform, kSceneSize, cv::INTER_LINEAR);
    result.truth = result.truth >= 128;
  }
  return result;
}

}  // namespace padim::tool
