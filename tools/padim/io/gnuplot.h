#pragma once

#include <filesystem>
#include <string>

namespace padim::tool {

/// Completes a sentence about what cannot be had.
inline constexpr char kNoGnuplot[] = "gnuplot is not installed (Debian: apt-get install gnuplot-nox)";

enum class GnuplotResult { done, absent, failed };

/// Runs a script by gnuplot, which is a program of its own that need not be installed.
[[nodiscard]] GnuplotResult run_gnuplot(const std::string& script);

/// Text as a string of gnuplot's language that is not interpreted.
[[nodiscard]] std::string gnuplot_string(const std::string& text);

[[nodiscard]] std::string gnuplot_number(double value);

/// The beginning of a script: what follows is drawn into a PNG file of that size in pixels.
[[nodiscard]] std::string gnuplot_png(const std::filesystem::path& file, int width, int height);

}  // namespace padim::tool
