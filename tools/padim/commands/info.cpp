#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "commands/commands.h"
#include "padim/error.h"
#include "padim/model.h"

namespace padim::tool {
namespace {

constexpr char kExamples[] = R"(Examples:
  padim info board.padim
  padim info board.padim --json | python3 -m json.tool)";

struct InfoArguments {
  std::filesystem::path model;
  bool json = false;
};

int run_info(const InfoArguments& arguments) {
  const Model model = Model::load(arguments.model);
  std::string text = arguments.json ? to_json(model) : describe(model);
  if (!text.ends_with('\n')) text += '\n';
  if (std::fputs(text.c_str(), stdout) < 0 || std::fflush(stdout) != 0) {
    throw Error(ErrorCode::cannot_write, "cannot write to standard output");
  }
  return 0;
}

}  // namespace

void add_info_command(CLI::App& app, int& status) {
  auto arguments = std::make_shared<InfoArguments>();
  CLI::App* command = app.add_subcommand("info", "say what a model is and how its threshold came about");
  command->footer(kExamples);
  command->add_option("model", arguments->model, "model file")->required()->type_name("M.padim");
  command->add_flag("--json", arguments->json, "print one JSON object instead of sentences");
  command->callback([arguments, &status] { status = run_info(*arguments); });
}

}  // namespace padim::tool
