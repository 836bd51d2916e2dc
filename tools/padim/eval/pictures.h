#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "eval/evaluation.h"

namespace padim::tool {

/// The picture of one test image: image, ground truth, heat map, mask and segmentation outline side by side.
struct ImagePicture {
  std::filesystem::path file;           ///< PNG, relative to the results' folder
  std::vector<std::uint8_t> thumbnail;  ///< the same, small, as JPEG
};

/// Writes SAVE/pictures/CLASS/DEFECT/STEM.png for every image of `result`, whose maps were kept, and returns them in
/// the same order. Heat maps and masks use the label-free threshold, or where there is none the class's range of scores
/// and the threshold of its best pixel F1, or without masks of its best image F1. Throws cannot_write, cannot_read.
[[nodiscard]] std::vector<ImagePicture> write_pictures(const ClassResult& result, Protocol protocol,
                                                       const std::filesystem::path& save, int threads);

}  // namespace padim::tool
