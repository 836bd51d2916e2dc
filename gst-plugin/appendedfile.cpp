#include "appendedfile.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string_view>
#include <utility>

#include "base/output.h"
#include "padim/error.h"

namespace padim::gst {
namespace {

/// Whoever writes besides waits meanwhile. Who holds it for a second is not one of us, or a file system without locks
/// is under it: lines stay whole all the same where it appends in one piece.
class FileLock {
 public:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {
    constexpr int kAttempts = 1000;
    constexpr useconds_t kPause_us = 1000;
    for (int i = 0; i < kAttempts && ::flock(descriptor_, LOCK_EX | LOCK_NB) != 0; ++i) {
      if (errno != EWOULDBLOCK && errno != EINTR) return;
      ::usleep(kPause_us);
    }
  }
  ~FileLock() { ::flock(descriptor_, LOCK_UN); }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int descriptor_;
};

}  // namespace

AppendedFile::AppendedFile(std::filesystem::path name, std::string what, std::uint64_t max_bytes)
    : name_(std::move(name)), what_(std::move(what)), max_bytes_(max_bytes) {
  open();
}

void AppendedFile::open() {
  const Output output = find_output(name_, what_);
  if (output.kind == OutputKind::stream) fail("it has become a pipe or a device");
  path_ = output.path;
  descriptor_.reset(::open(path_.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0666));
  if (descriptor_.get() < 0) fail(reason_of(errno));
  check_contents();
}

std::uint64_t AppendedFile::size() const {
  struct stat status = {};
  if (::fstat(descriptor_.get(), &status) != 0) fail(reason_of(errno));
  return static_cast<std::uint64_t>(status.st_size);
}

char AppendedFile::byte_at(std::uint64_t offset) const {
  char byte = 0;
  if (::pread(descriptor_.get(), &byte, 1, static_cast<off_t>(offset)) < 0) fail(reason_of(errno));
  return byte;
}

// A video or a model would be of no use with lines at its end.
void AppendedFile::check_contents() const {
  if (size() == 0 || (byte_at(0) == '{' && byte_at(1) != 0)) return;
  fail("it holds something else than lines of JSON; name another file, or remove it first");
}

// Whether the name still leads here.
bool AppendedFile::has_its_name() const {
  struct stat ours = {};
  struct stat named = {};
  if (::fstat(descriptor_.get(), &ours) != 0) fail(reason_of(errno));
  return ::stat(name_.c_str(), &named) == 0 && ours.st_ino == named.st_ino && ours.st_dev == named.st_dev;
}

void AppendedFile::append(const std::string& line) {
  constexpr int kAttempts = 100;  // as many others may come first
  for (int i = 0; i < kAttempts; ++i) {
    if (append_here(line)) return;
    open();
  }
  fail("it is moved away again and again");
}

// False where the file has another name by now.
bool AppendedFile::append_here(const std::string& line) {
  const FileLock lock(descriptor_.get());
  if (!has_its_name()) return false;
  const std::uint64_t end = size();
  const bool torn = end > 0 && byte_at(end - 1) != '\n';
  const std::string text = (torn ? "\n" : "") + line + "\n";
  if (max_bytes_ > 0 && end > 0 && end + text.size() > max_bytes_) {
    rotate();
    return false;
  }
  write(text, end);
  return true;
}

void AppendedFile::write(const std::string& text, std::uint64_t end) {
  for (std::string_view left = text; !left.empty();) {
    const ssize_t written = ::write(descriptor_.get(), left.data(), left.size());
    if (written >= 0) {
      left.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      const int error = errno;
      // Half a line is worse than none.
      if (left.size() < text.size() && ::ftruncate(descriptor_.get(), static_cast<off_t>(end)) != 0)
        fail(reason_of(errno));
      fail(reason_of(error));
    }
  }
}

void AppendedFile::rotate() const {
  std::filesystem::path older = path_;
  older += ".1";
  if (std::rename(path_.c_str(), older.c_str()) != 0) fail(reason_of(errno));
}

void AppendedFile::fail(const std::string& cause) const {
  throw Error(ErrorCode::cannot_write, "cannot write " + what_ + " '" + name_.string() + "': " + cause);
}

}  // namespace padim::gst
