#include "jsonlines.h"

#include <sys/stat.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "padim/error.h"
#include "systemtime.h"

namespace padim::gst {
namespace {

constexpr GstClockTime kLookInterval_ns = GST_SECOND;

[[noreturn]] void throw_cannot_write(const std::string& location) {
  throw Error(ErrorCode::cannot_write, "cannot write JSON lines to '" + location +
                                           "': " + std::generic_category().message(errno) +
                                           "; check json-location and the space on the disk");
}

}  // namespace

void JsonLines::Close::operator()(std::FILE* file) const noexcept {
  if (file != stdout) std::fclose(file);
}

JsonLines::JsonLines(std::string location, std::uint64_t max_bytes)
    : location_(std::move(location)), max_bytes_(max_bytes) {
  open("we");
}

void JsonLines::open(const char* mode) {
  if (location_ == "-") {
    file_.reset(stdout);
    return;
  }
  file_.reset();
  file_.reset(std::fopen(location_.c_str(), mode));
  struct stat status = {};
  if (!file_ || fstat(fileno(file_.get()), &status) != 0) throw_cannot_write(location_);
  regular_ = S_ISREG(status.st_mode);
  bytes_ = static_cast<std::uint64_t>(status.st_size);
  next_look_ = system_time() + kLookInterval_ns;
}

// Whether the name leads to another file by now, or to none.
bool JsonLines::was_moved() {
  if (!regular_ || system_time() < next_look_) return false;
  next_look_ = system_time() + kLookInterval_ns;
  struct stat ours = {};
  struct stat named = {};
  if (fstat(fileno(file_.get()), &ours) != 0) throw_cannot_write(location_);
  return stat(location_.c_str(), &named) != 0 || ours.st_ino != named.st_ino || ours.st_dev != named.st_dev;
}

void JsonLines::make_room(std::uint64_t bytes) {
  if (max_bytes_ == 0 || !regular_ || bytes_ == 0 || bytes_ + bytes <= max_bytes_) return;
  if (std::rename(location_.c_str(), (location_ + ".1").c_str()) != 0) throw_cannot_write(location_);
  open("we");
}

void JsonLines::write(const std::string& object) {
  if (was_moved()) reopen();
  make_room(object.size() + 1);
  const bool written = std::fputs(object.c_str(), file_.get()) >= 0 && std::fputc('\n', file_.get()) >= 0 &&
                       std::fflush(file_.get()) == 0;
  if (!written) throw_cannot_write(location_);
  bytes_ += object.size() + 1;
}

void JsonLines::reopen() { open("ae"); }

}  // namespace padim::gst
