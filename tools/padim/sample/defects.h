#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <opencv2/core.hpp>

namespace padim::tool {

/// A board in the state that the camera sees it: the picture and what is wrong with it.
struct Board {
  cv::Mat picture;  ///< CV_8UC3 of kBoardSize
  cv::Mat truth;    ///< CV_8UC1 of kBoardSize, 255 where the picture differs visibly from the good board's
};

/// Names of the kinds of defect, in the order in which they appear in the footage.
[[nodiscard]] const std::vector<std::string>& defect_kinds();

/// The good board.
[[nodiscard]] Board draw_good_board(std::uint64_t seed);

/// A board with one defect of the given kind; place and shape come from the seed.
[[nodiscard]] Board draw_defective_board(const Board& good, const std::string& kind, std::uint64_t seed);

}  // namespace padim::tool
