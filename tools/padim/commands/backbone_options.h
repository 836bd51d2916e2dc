#pragma once

#include <filesystem>
#include <string>

#include "padim/backbone.h"
#include "padim/limits.h"

namespace CLI {
class App;
}

namespace padim::tool {

/// The options that choose and place the backbone, the same for every command that runs one.
struct BackboneArguments {
  std::string name;  ///< empty: the command's own default
  std::filesystem::path weights_file;
  std::string device = BackboneOptions{}.device;
  std::string precision = to_string(BackboneOptions{}.precision);
  int threads = kThreads.fallback;
};

/// Adds them, as a group of their own. `fallback` says in the help what is taken without --backbone; `names`: of that
/// option, separated by commas.
void add_backbone_options(CLI::App& command, BackboneArguments& arguments, const std::string& fallback,
                          const std::string& names = "--backbone");

/// What to open: `fallback` where no name was given; weights are looked for in the backbone_folders of `model_file`.
[[nodiscard]] BackboneOptions backbone_options(const BackboneArguments& arguments, const std::string& fallback,
                                               const std::filesystem::path& model_file);

}  // namespace padim::tool
