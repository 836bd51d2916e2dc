#pragma once

#include <filesystem>
#include <vector>

#include "base/output.h"
#include "padim/backbone.h"

namespace padim::gst {

/// Where the backbone of a model is looked for: beside the model file, unless that is empty, then in the folders of
/// $PADIM_BACKBONES, which are separated by colons.
[[nodiscard]] std::vector<std::filesystem::path> backbone_folders(const std::filesystem::path& model_file);

/// Notes the files that the backbone may be read from.
void note_backbone(const BackboneOptions& options, FileRoles& roles);

}  // namespace padim::gst
