#pragma once

#include <filesystem>
#include <string>

#include "padim/fitter.h"

namespace CLI {
class App;
}

namespace padim::tool {

/// Help group of the options that a model keeps.
inline constexpr char kModelGroup[] = "Model";

/// The options that say what kind of model is fitted, the same for every command that fits one.
struct ModelArguments {
  FitOptions options;  ///< numbers lie here at once; names and sizes are parsed into it by fit_options()
  std::string grid = to_string(FitOptions{}.grid);
  std::string reduction = to_string(FitOptions{}.reduction);
  std::string geometry = to_string(FitOptions{}.geometry);
  std::string input_size;
  std::string taps;  ///< names, separated by commas
  std::string roi;
  std::filesystem::path mask;
};

/// Adds them, as a group of that name.
void add_model_options(CLI::App& command, ModelArguments& arguments);

/// Throws invalid_argument, and what read_mask throws.
[[nodiscard]] FitOptions fit_options(const ModelArguments& arguments);

}  // namespace padim::tool
