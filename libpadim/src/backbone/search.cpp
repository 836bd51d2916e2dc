#include "backbone/search.h"

#include <algorithm>
#include <system_error>
#include <vector>

#include "padim/error.h"

namespace padim {
namespace {

namespace fs = std::filesystem;

bool present(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

fs::path find(const std::vector<fs::path>& folders, const std::string& file, const std::string& remedy) {
  std::string searched;
  for (const fs::path& folder : folders) {
    if (present(folder / file)) return folder / file;
    searched += (searched.empty() ? "" : ", ") + folder.string();
  }
  throw Error(ErrorCode::not_found, "'" + file + "' was found in none of: " + searched + ". " + remedy);
}

void require(const fs::path& file, const std::string& what) {
  if (!file.empty() && !present(file))
    throw Error(ErrorCode::not_found, what + " '" + file.string() + "' does not exist");
}

void check_name(const std::string& name) {
  const bool plain = !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.';
  });
  if (!plain) {
    throw Error(
        ErrorCode::invalid_argument,
        "'" + name + "' is not a backbone's name: use letters, digits, '_', '-' and '.' as in efficientnet_lite0");
  }
}

}  // namespace

BackboneFiles find_backbone_files(const BackboneOptions& options) {
  check_name(options.name);
  require(options.weights_file, "backbone weights");
  require(options.description_file, "backbone description");
  std::vector<fs::path> folders;
  const auto add_folder = [&](const fs::path& folder) {
    if (!folder.empty() && std::find(folders.begin(), folders.end(), folder) == folders.end())
      folders.push_back(folder);
  };
  const auto add_folder_of = [&](const fs::path& file) {
    if (!file.empty()) add_folder(file.has_parent_path() ? file.parent_path() : fs::path("."));
  };
  add_folder_of(options.weights_file);
  add_folder_of(options.description_file);
  for (const fs::path& folder : options.search_path) add_folder(folder);
  add_folder(PADIM_MODELS_DIR);

  BackboneFiles files{options.description_file, options.weights_file};
  if (files.description.empty()) {
    files.description = find(folders, options.name + ".json", "Known backbones are described in models/README.md.");
  }
  if (files.weights.empty()) {
    files.weights = find(folders, options.name + ".safetensors",
                         "Convert the weights with: python3 " + (files.description.parent_path() / "convert").string() +
                             " (see models/README.md), or name the file.");
  }
  return files;
}

}  // namespace padim
