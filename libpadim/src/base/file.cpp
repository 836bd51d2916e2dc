#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <random>
#include <system_error>
#include <utility>

#include "base/output.h"
#include "padim/error.h"

namespace padim {
namespace {

namespace fs = std::filesystem;

std::string random_suffix() {
  constexpr char kLetters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
  constexpr int kLength = 6;
  std::random_device random;
  std::uniform_int_distribution<std::size_t> any(0, sizeof kLetters - 2);
  std::string suffix;
  for (int i = 0; i < kLength; ++i) suffix += kLetters[any(random)];
  return suffix;
}

// Makes a rename durable; a file system that cannot sync a folder has nothing better to offer.
void sync_folder(const std::filesystem::path& file) {
  const Descriptor descriptor(::open(folder_of(file).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (descriptor.get() >= 0) ::fsync(descriptor.get());
}

}  // namespace

void Descriptor::reset(int value) {
  if (value_ >= 0) ::close(value_);
  value_ = value;
}

InputFile::InputFile(const std::filesystem::path& path, const std::string& what)
    : name_(what + " '" + path.string() + "'"), descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  // O_NONBLOCK: a pipe without a writer is refused below instead of waited for.
  if (descriptor_.get() < 0) {
    const int error = errno;
    if (error == ENOENT || error == ENOTDIR) throw Error(ErrorCode::not_found, name_ + " does not exist");
    fail(reason_of(error));
  }
  state_ = state();
  if (state_.size == 0) throw Error(ErrorCode::bad_format, name_ + " is empty");
}

void InputFile::fail(const std::string& cause) const {
  throw Error(ErrorCode::cannot_read, "cannot read " + name_ + ": " + cause);
}

InputFile::State InputFile::state() const {
  struct stat status {};
  if (::fstat(descriptor_.get(), &status) != 0) fail(reason_of(errno));
  if (!S_ISREG(status.st_mode)) fail("it is not a file");
  return {static_cast<std::uint64_t>(status.st_size), status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
}

void InputFile::read(std::uint64_t offset, std::span<std::byte> bytes) const {
  while (!bytes.empty()) {
    const ssize_t count = ::pread(descriptor_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(reason_of(errno));
    if (count == 0) fail("it became shorter while it was read: try again when it is complete");
    offset += static_cast<std::uint64_t>(count);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

void InputFile::check_unchanged() const {
  if (state() != state_) fail("somebody wrote into it while it was read: try again when it is complete");
}

AtomicFile::AtomicFile(std::filesystem::path name, std::string what, Durability durability)
    : name_(std::move(name)), what_(std::move(what)), durability_(durability), path_(find_output_file(name_, what_)) {
  create();
  adopt_rights();
}

// Not mkostemp, whose files are private: a model is as readable as any file that the user writes.
void AtomicFile::create() {
  const auto create_named = [this](const char* name) {
    descriptor_.reset(::open(name, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    return descriptor_.get() >= 0;
  };
  if (!create_nameless() && !take_temporary_name(create_named)) fail(errno);
}

// False where the file system has no such files, or nothing under which one could be given a name later.
bool AtomicFile::create_nameless() {
  descriptor_.reset(::open(folder_of(path_).c_str(), O_WRONLY | O_APPEND | O_TMPFILE | O_CLOEXEC, 0666));
  if (descriptor_.get() < 0) return false;
  if (::access(unnamed().c_str(), F_OK) == 0) return true;
  descriptor_.reset();
  return false;
}

fs::path AtomicFile::unnamed() const {
  if (!temporary_.empty()) return temporary_;
  return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(descriptor_.get());
}

// attempt: takes a name, false with errno where it cannot. The same holds for the result.
template <class Attempt>
bool AtomicFile::take_temporary_name(const Attempt& attempt) {
  constexpr int kAttempts = 100;  // names are random: one is enough unless somebody guesses them
  constexpr std::size_t kMostLetters = 240;
  const std::string beginning = path_.filename().string().substr(0, kMostLetters) + ".";
  for (int i = 0; i < kAttempts; ++i) {
    std::string name = path_.parent_path() / (beginning + random_suffix());
    if (attempt(name.c_str())) {
      temporary_ = std::move(name);
      return true;
    }
    if (errno != EEXIST) break;
  }
  return false;
}

// Who replaces a file changes what is in it and nothing else. Only root gives files away: that others cannot is no
// failure.
void AtomicFile::adopt_rights() const {
  struct stat before {};
  if (::stat(path_.c_str(), &before) != 0) return;
  const bool given = ::fchown(descriptor_.get(), before.st_uid, before.st_gid) == 0;
  static_cast<void>(given);
  if (::fchmod(descriptor_.get(), before.st_mode & 0777U) != 0) fail(errno);
}

AtomicFile::~AtomicFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(errno);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void AtomicFile::appear() {
  if (appeared_) return;
  take_name();
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail(errno);
  temporary_.clear();
  appeared_ = true;
}

// A name can be replaced by another one alone, not by a file that has none.
void AtomicFile::take_name() {
  if (!temporary_.empty()) return;
  const std::string here = unnamed();
  const auto link = [&](const char* name) {
    return ::linkat(AT_FDCWD, here.c_str(), AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0;
  };
  if (!take_temporary_name(link)) fail(errno);
}

void AtomicFile::commit(const std::function<bool()>& wanted) {
  if (durability_ == Durability::lasting && ::fsync(descriptor_.get()) != 0) fail(errno);
  if (wanted && !wanted()) {
    throw Error(ErrorCode::cancelled, what_ + " '" + name_.string() + "' is not wanted any more");
  }
  if (!appeared_) take_name();
  if (::close(descriptor_.release()) != 0) fail(errno);
  appear();
  if (durability_ == Durability::lasting) sync_folder(path_);
}

void AtomicFile::fail(int error) const {
  throw Error(ErrorCode::cannot_write, "cannot write " + what_ + " '" + name_.string() + "': " + reason_of(error) +
                                           (appeared_ ? "" : " (what was there before is untouched)"));
}

}  // namespace padim
