#pragma once

#include <filesystem>
#include <map>
#include <string>

#include <opencv2/core.hpp>

namespace padim::tool {

/// Masks of what is anomalous, found by the names of their images: STEM.EXT or STEM_mask.EXT, of any image format.
class MaskFolder {
 public:
  /// Throws cannot_read.
  explicit MaskFolder(const std::filesystem::path& folder);

  /// The mask of the image whose path below its folder is `stem`, without extension; empty where there is none.
  [[nodiscard]] std::filesystem::path find(const std::string& stem) const;

 private:
  std::map<std::string, std::filesystem::path> masks_;  ///< by their paths below the folder, without extension
};

/// 8 bits per pixel: 255 where the picture is not black, whatever its depth and colours, else 0. What is transparent
/// counts as black, and in formats that lose (jpg, webp) everything up to half of white. Throws as read_image does.
[[nodiscard]] cv::Mat read_marks(const std::filesystem::path& file);

}  // namespace padim::tool
