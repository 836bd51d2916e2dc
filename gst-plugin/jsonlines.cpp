#include "jsonlines.h"

#include <cerrno>
#include <system_error>
#include <utility>

#include "padim/error.h"

namespace padim::gst {
namespace {

[[noreturn]] void throw_cannot_write(const std::string& location) {
  throw Error(ErrorCode::cannot_write, "cannot write JSON lines to '" + location +
                                           "': " + std::generic_category().message(errno) +
                                           "; check json-location and the space on the disk");
}

}  // namespace

void JsonLines::Close::operator()(std::FILE* file) const noexcept {
  if (file != stdout) std::fclose(file);
}

JsonLines::JsonLines(std::string location)
    : location_(std::move(location)), file_(location_ == "-" ? stdout : std::fopen(location_.c_str(), "we")) {
  if (!file_) throw_cannot_write(location_);
}

void JsonLines::write(const std::string& object) {
  const bool written = std::fputs(object.c_str(), file_.get()) >= 0 && std::fputc('\n', file_.get()) >= 0 &&
                       std::fflush(file_.get()) == 0;
  if (!written) throw_cannot_write(location_);
}

}  // namespace padim::gst
