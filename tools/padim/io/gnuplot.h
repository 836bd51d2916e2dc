#pragma once

#include <string>

namespace padim::tool {

enum class GnuplotResult { done, absent, failed };

/// Runs a script by gnuplot, which is a program of its own that need not be installed.
[[nodiscard]] GnuplotResult run_gnuplot(const std::string& script);

/// Text as a string of gnuplot's language that is not interpreted.
[[nodiscard]] std::string gnuplot_string(const std::string& text);

}  // namespace padim::tool
