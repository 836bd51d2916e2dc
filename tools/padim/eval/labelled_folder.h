#pragma once

#include <filesystem>

namespace padim::tool {

/// True for names of folders that hold normal images: good, ok, normal, in any case.
[[nodiscard]] bool is_normal_name(const std::filesystem::path& folder);

/// True where the image lies in a folder that has a sister of normal images (test/scratch beside test/good), and so is
/// of a defect.
[[nodiscard]] bool is_labelled_defect(const std::filesystem::path& image);

/// Throws invalid_argument where the folder holds more than normal images by its layout (a data set of train/good,
/// test/ and ground_truth/, or its test/), and names the folder that was meant. Files are fine.
void check_all_normal(const std::filesystem::path& folder);

/// The same for a folder that is to hold images of defects only.
void check_all_defective(const std::filesystem::path& folder);

}  // namespace padim::tool
