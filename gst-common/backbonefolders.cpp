#include "gst-common/backbonefolders.h"

#include <cstdlib>
#include <sstream>
#include <string>

namespace padim::gst {

std::vector<std::filesystem::path> backbone_folders(const std::filesystem::path& model_file) {
  std::vector<std::filesystem::path> folders;
  if (!model_file.empty()) folders.push_back(model_file.has_parent_path() ? model_file.parent_path() : ".");
  const char* list = std::getenv("PADIM_BACKBONES");
  std::istringstream rest(list != nullptr ? list : "");
  for (std::string folder; std::getline(rest, folder, ':');) {
    if (!folder.empty()) folders.emplace_back(folder);
  }
  return folders;
}

void note_backbone(const BackboneOptions& options, FileRoles& roles) {
  const std::string role = "the backbone's file";
  roles.reads(options.weights_file, role);
  roles.reads(options.description_file, role);
  for (const auto& folder : options.search_path) {
    for (const char* extension : {".json", ".safetensors"}) roles.reads(folder / (options.name + extension), role);
  }
}

}  // namespace padim::gst
