#include "eval/gnuplot.h"

#include <sys/wait.h>

#include <cstdio>

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

}  // namespace padim::tool
