#pragma once

namespace CLI {
class App;
}

namespace padim::tool {

/// Each adds one subcommand, which runs while the command line is parsed and leaves its exit status in `status`. What
/// it throws (Error) reaches the caller of the parser.
void add_fit_command(CLI::App& app, int& status);
void add_detect_command(CLI::App& app, int& status);
void add_eval_command(CLI::App& app, int& status);
void add_info_command(CLI::App& app, int& status);
void add_merge_command(CLI::App& app, int& status);
void add_sample_command(CLI::App& app, int& status);
void add_threshold_command(CLI::App& app, int& status);

}  // namespace padim::tool
