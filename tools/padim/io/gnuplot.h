#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"

namespace padim::tool {

/// Completes a sentence about what cannot be had.
inline constexpr char kNoGnuplot[] = "gnuplot is not installed (Debian: apt-get install gnuplot-nox)";

enum class GnuplotResult { done, absent, failed };

/// Runs a script by gnuplot, which is a program of its own that need not be installed.
[[nodiscard]] GnuplotResult run_gnuplot(const std::string& script);

/// Files that one script draws: each appears when all of them are drawn.
class Drawings {
 public:
  /// The beginning of what is drawn into a PNG file of that size in pixels. Throws cannot_write.
  [[nodiscard]] std::string png(const std::filesystem::path& file, int width, int height);

  /// Throws cannot_write.
  [[nodiscard]] GnuplotResult run(const std::string& script);

 private:
  struct Drawing {
    std::filesystem::path name;
    std::unique_ptr<AtomicFile> file;
  };

  static void complete(const Drawing& drawing);

  std::vector<Drawing> drawings_;
};

/// Text as a string of gnuplot's language that is not interpreted.
[[nodiscard]] std::string gnuplot_string(const std::string& text);

[[nodiscard]] std::string gnuplot_number(double value);

}  // namespace padim::tool
