#pragma once

#include <cstdint>

#include <opencv2/core.hpp>

namespace padim::tool {

/// The board is drawn at twice the size of the footage; the camera's model scales it down.
inline constexpr int kBoardScale = 2;
inline const cv::Size kSceneSize{640, 480};
inline const cv::Size kBoardSize{kSceneSize.width * kBoardScale, kSceneSize.height* kBoardScale};

/// Outline of the printed circuit board, in board coordinates (twice the footage's).
inline const cv::Rect kBoardOutline{130, 110, 1020, 740};

/// What may be wrong with how a board was assembled and printed. The default is a good one.
struct Assembly {
  bool capacitor_missing = false;     ///< one of the two large round capacitors
  double resonator_angle = 0;         ///< degrees by which the oval crystal resonator sits turned
  cv::Point2d resonator_shift{0, 0};  ///< and moved, in board coordinates
  cv::Point2d print_shift{0, 0};      ///< second, displaced impression of the type designation
};

/// Draws the printed circuit board on its brushed metal plate, lit from the top left: CV_8UC3 of kBoardSize. The same
/// seed gives the same picture.
[[nodiscard]] cv::Mat draw_board(std::uint64_t seed, const Assembly& assembly);

}  // namespace padim::tool
