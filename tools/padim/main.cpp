#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <string>

#include <CLI/CLI.hpp>

#include "commands/commands.h"
#include "padim/error.h"
#include "padim/log.h"
#include "terminal/interrupt.h"
#include "terminal/progress.h"

namespace {

constexpr int kFailed = 1;
constexpr int kUsageError = 2;

constexpr char kExamples[] = R"(Examples:
  padim sample --output sample
  padim fit --input sample/normal.mp4 --output board.padim
  padim detect --model board.padim --input sample/inspection.mp4 --output annotated.mp4
  padim info board.padim

'padim COMMAND --help' explains a command.)";

int report(const std::exception& error) {
  if (padim::tool::interrupted()) {
    padim::tool::notice("interrupted");
    return padim::tool::interrupt_status();
  }
  const bool out_of_memory = dynamic_cast<const std::bad_alloc*>(&error) != nullptr;
  padim::tool::notice(out_of_memory ? "out of memory" : error.what());
  const auto* known = dynamic_cast<const padim::Error*>(&error);
  return known != nullptr && known->code() == padim::ErrorCode::invalid_argument ? kUsageError : kFailed;
}

int report_usage(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
  const auto chosen = app.get_subcommands();
  const auto unknown = app.remaining();
  // Otherwise the parser would only say that a subcommand is missing.
  const bool is_unknown_command = chosen.empty() && !unknown.empty() && !unknown.front().starts_with('-');
  padim::tool::notice(is_unknown_command ? "there is no command '" + unknown.front() + "'" : error.what());
  std::fprintf(stderr, "Try 'padim %s--help'.\n", chosen.empty() ? "" : (chosen.front()->get_name() + " ").c_str());
  return kUsageError;
}

// Not by exit(): where memory has ended, a library that is unloaded there may wait for more for ever.
[[noreturn]] void leave(int status) {
  std::fflush(nullptr);
  std::_Exit(status);
}

}  // namespace

int main(int argc, char** argv) try {
  padim::tool::catch_interrupts();
  padim::set_log_handler([](padim::LogLevel level, const std::string& message) {
    if (level == padim::LogLevel::warning) padim::tool::notice("warning: " + message);
  });
  CLI::App app(
      "Finds anomalies in images and videos with PaDiM: fits a model on normal frames, then marks what differs.",
      "padim");
  app.footer(kExamples);
  app.set_version_flag("--version", PADIM_VERSION);
  app.require_subcommand(1);
  int status = 0;
  padim::tool::add_fit_command(app, status);
  padim::tool::add_detect_command(app, status);
  padim::tool::add_eval_command(app, status);
  padim::tool::add_info_command(app, status);
  padim::tool::add_merge_command(app, status);
  padim::tool::add_sample_command(app, status);
  padim::tool::add_threshold_command(app, status);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return report_usage(app, error);
  }
  return status;
} catch (const std::exception& error) {
  leave(report(error));
}
