#include "backbone/search.h"

#include <algorithm>
#include <system_error>
#include <vector>

#include "backbone/built_in.h"
#include "padim/error.h"

namespace padim {
namespace {

namespace fs = std::filesystem;

bool present(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

/// Where files are looked for; the first match wins.
class Folders {
 public:
  void add(const fs::path& folder) {
    if (!folder.empty() && std::find(folders_.begin(), folders_.end(), folder) == folders_.end()) {
      folders_.push_back(folder);
    }
  }

  void add_folder_of(const fs::path& file) {
    if (!file.empty()) add(file.has_parent_path() ? file.parent_path() : fs::path("."));
  }

  /// The first folder's file of this name; an empty path where none has it.
  [[nodiscard]] fs::path find(const fs::path& file) const {
    for (const fs::path& folder : folders_) {
      if (present(folder / file)) return folder / file;
    }
    return {};
  }

  [[noreturn]] void fail(const std::string& file, const std::string& remedy) const {
    std::string searched;
    for (const fs::path& folder : folders_) searched += (searched.empty() ? "" : ", ") + folder.string();
    throw Error(ErrorCode::not_found, "'" + file + "' was found in none of: " + searched + remedy);
  }

 private:
  std::vector<fs::path> folders_;
};

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

Folders folders_of(const BackboneOptions& options) {
  Folders folders;
  folders.add_folder_of(options.weights_file);
  folders.add_folder_of(options.description_file);
  for (const fs::path& folder : options.search_path) folders.add(folder);
  folders.add(PADIM_MODELS_DIR);
  return folders;
}

fs::path find_description(const Folders& folders, const std::string& name) {
  const std::string file = name + ".json";
  const fs::path found = folders.find(file);
  std::string built_in;
  for (const BuiltInDescription& description : built_in_descriptions()) {
    if (!found.empty() || description.name == name) return found;
    built_in += (built_in.empty() ? "" : ", ") + std::string(description.name);
  }
  folders.fail(file, ", and built-in are only " + built_in + ". models/README.md tells how to describe a backbone.");
}

fs::path find_weights(const Folders& folders, const std::string& name) {
  const std::string file = name + ".safetensors";
  if (const fs::path found = folders.find(file); !found.empty()) return found;
  // It lies beside the installed descriptions and beside those of the sources.
  const fs::path converter = folders.find(fs::path("convert") / "__main__.py").parent_path();
  folders.fail(file, ". Convert the weights with: python3 " +
                         (converter.empty() ? "models/convert" : converter.string()) +
                         " (see models/README.md), or name the file.");
}

}  // namespace

BackboneFiles find_backbone_files(const BackboneOptions& options) {
  check_name(options.name);
  require(options.weights_file, "backbone weights");
  require(options.description_file, "backbone description");
  const Folders folders = folders_of(options);
  BackboneFiles files{options.description_file, options.weights_file};
  if (files.description.empty()) files.description = find_description(folders, options.name);
  if (files.weights.empty()) files.weights = find_weights(folders, options.name);
  return files;
}

BackboneDescription read_description(const BackboneFiles& files, const std::string& name) {
  if (!files.description.empty()) return load_backbone_description(files.description);
  const auto found = std::ranges::find(built_in_descriptions(), name, &BuiltInDescription::name);
  return parse_backbone_description(found->text, "'" + name + "' (built-in)");
}

}  // namespace padim
