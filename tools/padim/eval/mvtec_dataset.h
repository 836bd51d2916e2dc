#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace padim::tool {

struct TestImage {
  std::filesystem::path image;
  std::filesystem::path name;  ///< its path below test/
  std::filesystem::path mask;  ///< empty for normal images, and where the class has no masks
  std::string defect;          ///< name of its folder below test/, "good" for normal images

  [[nodiscard]] bool anomalous() const { return defect != "good"; }
};

/// One class in MVTec AD's layout: FOLDER/train/good/*, FOLDER/test/DEFECT/*, FOLDER/ground_truth/DEFECT/STEM_mask.png,
/// or STEM.png, of any image format. Without the folder ground_truth it has no masks.
struct DatasetClass {
  std::string name;
  std::filesystem::path folder;
  std::vector<std::filesystem::path> training;
  std::vector<TestImage> test;  ///< sorted by path
  bool masks = true;
  std::vector<std::string> left_out;  ///< what of its folders is not taken, in words
};

/// Every image and mask of a class.
[[nodiscard]] std::vector<std::filesystem::path> files_of(const DatasetClass& one);

/// Where the masks of a class lie, if it has any.
[[nodiscard]] std::filesystem::path masks_of(const std::filesystem::path& folder);

/// The wanted classes below `root`, all of them where `wanted` is empty; a root that is a class itself is the only one.
/// Every image of a defect has its mask, or none has. Throws not_found or bad_format where the layout is another one, a
/// class is missing, has no training or no test image, or a mask is missing: named, before any work begins.
[[nodiscard]] std::vector<DatasetClass> open_dataset(const std::filesystem::path& root,
                                                     const std::vector<std::string>& wanted);

}  // namespace padim::tool
