#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <opencv2/core.hpp>

#include "sample/defects.h"

namespace padim::tool {

/// Frames begin .. end - 1 of the footage show boards of one kind: "normal" or a kind of defect.
struct Stretch {
  std::string kind;
  int begin = 0;
  int end = 0;

  [[nodiscard]] bool is_normal() const { return kind == "normal"; }
};

inline constexpr int kSceneFramesPerSecond = 30;
inline constexpr int kMinInspectionFrames = 40;  ///< two frames for each kind of defect, the rest normal

/// Normal footage: one stretch.
[[nodiscard]] std::vector<Stretch> normal_timeline(int frames);

/// Inspection footage: every kind of defect once, between normal stretches that make up at least half of the frames.
[[nodiscard]] std::vector<Stretch> inspection_timeline(int frames);

struct SceneFrame {
  cv::Mat picture;  ///< CV_8UC3 BGR of kSceneSize
  cv::Mat truth;    ///< CV_8UC1, 255 on the defect; empty on normal frames
};

/// Which recording a frame belongs to; the two share nothing but the board.
enum class Footage { normal, inspection };

/// The inspection station: boards come one after the other under a camera with noise, vibration, flickering light and a
/// drifting soft shadow. Frames depend on nothing but the seed, the footage and their number.
class Scene {
 public:
  Scene(std::uint64_t seed, Footage footage, std::vector<Stretch> timeline);

  [[nodiscard]] const std::vector<Stretch>& timeline() const { return timeline_; }

  /// Frames must be asked for in rising order of their numbers.
  [[nodiscard]] SceneFrame render(int frame);

 private:
  struct View;
  void enter_stretch(int frame);
  void soften();
  [[nodiscard]] View view_of(int frame) const;
  [[nodiscard]] cv::Mat light_of(const View& view) const;
  [[nodiscard]] std::uint64_t seed_of(std::uint64_t what, std::uint64_t index) const;

  std::uint64_t seed_;
  Footage footage_;
  std::vector<Stretch> timeline_;
  std::size_t stretch_ = 0;
  Board good_;
  Board shown_;
  cv::Mat lamp_;  ///< CV_32FC1, the lamp's uneven light
};

}  // namespace padim::tool
