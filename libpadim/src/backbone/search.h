#pragma once

#include <filesystem>
#include <string>

#include "backbone/description.h"
#include "padim/backbone.h"

namespace padim {

/// What makes a backbone.
struct BackboneFiles {
  std::filesystem::path description;  ///< empty: the one that is built in under the backbone's name
  std::filesystem::path weights;
};

/// Finds what `options` ask for: the file named, else NAME.json and NAME.safetensors beside the other one, in the
/// search path, in the installed folder; a description at last among those built in. Throws not_found naming every
/// place searched and the remedy.
[[nodiscard]] BackboneFiles find_backbone_files(const BackboneOptions& options);

/// Reads the description that was found for the backbone `name`. Throws as load_backbone_description().
[[nodiscard]] BackboneDescription read_description(const BackboneFiles& files, const std::string& name);

}  // namespace padim
