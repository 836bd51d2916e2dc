#include "io/gnuplot.h"

#include <sys/wait.h>

#include <cstdio>

#include "io/own_picture.h"

namespace padim::tool {

GnuplotResult run_gnuplot(const std::string& script) {
  constexpr int kAbsent = 127;
  std::FILE* pipe = popen("command -v gnuplot >/dev/null || exit 127; exec gnuplot", "w");
  if (pipe == nullptr) return GnuplotResult::failed;
  std::fwrite(script.data(), 1, script.size(), pipe);  // where gnuplot ends early, its status tells
  const int status = pclose(pipe);
  if (WIFEXITED(status) && WEXITSTATUS(status) == kAbsent) return GnuplotResult::absent;
  return status == 0 ? GnuplotResult::done : GnuplotResult::failed;
}

std::string gnuplot_string(const std::string& text) {
  std::string quoted = "'";
  for (const char letter : text) {
    if (letter == '\'') quoted += '\'';
    quoted += letter == '\n' || letter == '\r' ? ' ' : letter;
  }
  return quoted + "'";
}

std::string gnuplot_number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

std::string Drawings::png(const std::filesystem::path& file, int width, int height) {
  files_.push_back(std::make_unique<AtomicFile>(file, "drawing", Durability::quick));
  return "set terminal pngcairo noenhanced size " + std::to_string(width) + "," + std::to_string(height) +
         " font 'sans,10'\nset output " + gnuplot_string(files_.back()->unnamed().string()) + "\n";
}

GnuplotResult Drawings::run(const std::string& script) {
  const GnuplotResult result = run_gnuplot(script);
  if (result != GnuplotResult::done) return result;
  for (const auto& file : files_) {
    sign_picture(file->unnamed());
    file->commit();
  }
  return result;
}

}  // namespace padim::tool
