#pragma once

#include <cstdint>
#include <vector>

#include <opencv2/core.hpp>

#include "padim/geometry.h"
#include "padim/score_map.h"

namespace padim::tool {

/// On which pixels scores meet the ground truth.
enum class PixelRaster {
  map,    ///< those of the score map: each takes the mask's nearest pixel (the published implementation)
  frame,  ///< those of the image as it is: the score map is interpolated bilinearly (MVTec AD's evaluation)
};

/// The part of an image that the network sees, at the resolution in question.
struct PixelScores {
  cv::Rect place;  ///< in the raster's coordinates
  std::vector<float> scores;
  std::vector<std::uint8_t> mask;  ///< 0: normal; as large as `scores`
};

/// `mask`: uint8 of the image's size, empty where the image is normal. Pixels of the image that the network does not
/// see (geometry `paper` crops) have no score and are left out. The result's memory is reused.
void compare(const ScoreMap& map, const FrameMapping& mapping, Size frame, const cv::Mat& mask, PixelRaster raster,
             PixelScores& result);

}  // namespace padim::tool
