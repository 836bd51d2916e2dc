#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace padim::tool {

struct TestImage {
  std::filesystem::path image;
  std::filesystem::path mask;  ///< empty for normal images
  std::string defect;          ///< name of its folder below test/, "good" for normal images

  [[nodiscard]] bool anomalous() const { return !mask.empty(); }
};

/// One class in MVTec AD's layout: FOLDER/train/good/*, FOLDER/test/DEFECT/*, FOLDER/ground_truth/DEFECT/STEM_mask.png.
struct DatasetClass {
  std::string name;
  std::filesystem::path folder;
  std::vector<std::filesystem::path> training;
  std::vector<TestImage> test;  ///< sorted by path
};

/// The wanted classes below `root`, all of them where `wanted` is empty; a root that is a class itself is the only one.
/// Every image of a defect has its mask. Throws not_found or bad_format where the layout is another one, a class is
/// missing, has no training or no test image, or a mask is missing: named, before any work begins.
[[nodiscard]] std::vector<DatasetClass> open_dataset(const std::filesystem::path& root,
                                                     const std::vector<std::string>& wanted);

}  // namespace padim::tool
