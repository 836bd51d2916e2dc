#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/output.h"
#include "commands/commands.h"
#include "io/file_io.h"
#include "padim/error.h"
#include "padim/fitter.h"
#include "terminal/interrupt.h"
#include "terminal/progress.h"

namespace padim::tool {
namespace {

constexpr char kExamples[] = R"(Examples:
  padim merge monday.padim tuesday.padim --output week.padim
  padim merge shard-*.padim --output part.padim --strip)";

struct MergeArguments {
  std::vector<std::filesystem::path> models;
  std::filesystem::path output;
  bool strip = false;
};

Model merge_next(const Model& merged, const std::filesystem::path& file) {
  Progress progress("merge " + file.filename().string(), "%", 100);
  try {
    return merge(merged, Model::load(file), [&](double fraction) {
      progress.update(static_cast<std::int64_t>(fraction * 100));
      return !interrupted();
    });
  } catch (const Error& error) {
    if (error.code() != ErrorCode::mismatch && error.code() != ErrorCode::invalid_argument) throw;
    throw Error(error.code(), in_quotes(file) + ": " + error.what());
  }
}

void check_output(const MergeArguments& arguments) {
  FileRoles roles;
  for (const auto& model : arguments.models) roles.reads(model, "a model that is merged");
  roles.writes(find_output_file(arguments.output, "--output"), "--output");
}

int run_merge(const MergeArguments& arguments) {
  check_output(arguments);
  Model merged = Model::load(arguments.models.front());
  for (std::size_t i = 1; i < arguments.models.size(); ++i) merged = merge_next(merged, arguments.models[i]);
  (arguments.strip ? merged.stripped() : merged).save(arguments.output);
  std::fputs(describe(merged).c_str(), stdout);
  return 0;
}

}  // namespace

void add_merge_command(CLI::App& app, int& status) {
  auto arguments = std::make_shared<MergeArguments>();
  CLI::App* command = app.add_subcommand("merge", "make one model of several fits, as one fit over everything would");
  command->footer(kExamples);
  command->add_option("models", arguments->models, "model files, in the order of their recording")
      ->required()
      ->expected(2, 1024)
      ->type_name("M.padim");
  command->add_option("--output", arguments->output, "model file to write")->required()->type_name("M.padim");
  command->add_flag("--strip", arguments->strip,
                    "leave out what only a further fit needs: a third to a fifth of the size");
  command->callback([arguments, &status] { status = run_merge(*arguments); });
}

}  // namespace padim::tool
