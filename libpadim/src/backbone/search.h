#pragma once

#include <filesystem>

#include "padim/backbone.h"

namespace padim {

/// The two files that make a backbone.
struct BackboneFiles {
  std::filesystem::path description;
  std::filesystem::path weights;
};

/// Finds the files that `options` ask for: the file named, else NAME.json and NAME.safetensors beside the other one, in
/// the search path, in the installed folder. Throws not_found naming every place searched and the remedy.
[[nodiscard]] BackboneFiles find_backbone_files(const BackboneOptions& options);

}  // namespace padim
