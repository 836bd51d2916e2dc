#include "io/gnuplot.h"

#include <sys/wait.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string_view>

#include "io/file_io.h"
#include "io/own_picture.h"
#include "padim/error.h"

namespace padim::tool {
namespace {

bool is_whole_png(std::span<const std::uint8_t> picture) {
  constexpr std::string_view kEnd = "IEND\xAE\x42\x60\x82";
  return picture.size() > kEnd.size() && std::ranges::equal(picture.last(kEnd.size()), kEnd, {}, {}, [](char letter) {
           return static_cast<std::uint8_t>(letter);
         });
}

}  // namespace

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
  drawings_.push_back({file, std::make_unique<AtomicFile>(file, "drawing", Durability::quick)});
  return "set terminal pngcairo noenhanced size " + std::to_string(width) + "," + std::to_string(height) +
         " font 'sans,10'\nset output " + gnuplot_string(drawings_.back().file->unnamed().string()) + "\n";
}

GnuplotResult Drawings::run(const std::string& script) {
  const GnuplotResult result = run_gnuplot(script);
  if (result != GnuplotResult::done) return result;
  for (const Drawing& drawing : drawings_) complete(drawing);
  return result;
}

// Whether the disk had room for all of it gnuplot's status does not tell.
void Drawings::complete(const Drawing& drawing) {
  auto picture = read_file(drawing.file->unnamed());
  const std::size_t size = picture.size();
  if (!is_whole_png(picture)) {
    throw Error(ErrorCode::cannot_write, "cannot write drawing " + in_quotes(drawing.name) +
                                             ": gnuplot could not complete it, as where the disk is full (what was "
                                             "there before is untouched)");
  }
  sign_picture(picture);
  drawing.file->write(std::as_bytes(std::span(picture).subspan(size)));
  drawing.file->commit();
}

}  // namespace padim::tool
