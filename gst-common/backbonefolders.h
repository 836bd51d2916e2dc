#pragma once

#include <filesystem>
#include <vector>

namespace padim::gst {

/// Where the backbone of a model is looked for: beside the model file, unless that is empty, then in the folders of
/// $PADIM_BACKBONES, which are separated by colons.
[[nodiscard]] std::vector<std::filesystem::path> backbone_folders(const std::filesystem::path& model_file);

}  // namespace padim::gst
