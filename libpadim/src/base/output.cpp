#include "base/output.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <system_error>

#include "padim/error.h"

namespace padim {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const fs::path& name, const std::string& what, const std::string& cause) {
  throw Error(ErrorCode::cannot_write, "cannot write " + what + " '" + name.string() + "': " + cause);
}

// Not fs::canonical: the last name need not exist, and what a descriptor stands for may have none. Where links lead in
// circles, one of them is returned.
fs::path behind_links(fs::path path) {
  constexpr int kMostLinks = 40;  // as the system allows
  std::error_code ignored;
  for (int i = 0; i < kMostLinks; ++i) {
    if (open_descriptor(path) || !fs::is_symlink(fs::symlink_status(path, ignored))) break;
    path = path.parent_path() / fs::read_symlink(path, ignored);
  }
  return path;
}

void check_folder(const fs::path& file, const fs::path& name, const std::string& what) {
  const fs::path folder = folder_of(file);
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) {
    refuse(name, what, "the folder '" + folder.string() + "' does not exist; create it first, or name another place");
  }
  if (::access(folder.c_str(), W_OK | X_OK) == 0) return;
  refuse(name, what,
         "the folder '" + folder.string() + "' cannot be written (" + reason_of(errno) +
             "); change its rights, or name another place");
}

std::string kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISBLK(mode) || S_ISCHR(mode)) return "a device";
  if (S_ISFIFO(mode)) return "a pipe";
  return S_ISSOCK(mode) ? "a socket" : "no file";
}

bool passes_bytes_on(mode_t mode) { return S_ISCHR(mode) || S_ISFIFO(mode); }

void check_regular(const struct stat& status, const Output& output, const fs::path& name, const std::string& what) {
  if (!S_ISREG(status.st_mode)) refuse(name, what, "it is " + kind_of(status.st_mode) + "; name a file");
  if (::access(output.path.c_str(), W_OK) != 0) {
    refuse(name, what, "it is write-protected (" + reason_of(errno) + "); change its rights, or name another file");
  }
}

}  // namespace

std::string reason_of(int error) { return std::generic_category().message(error); }

fs::path folder_of(const fs::path& file) { return file.has_parent_path() ? file.parent_path() : fs::path("."); }

std::optional<int> open_descriptor(const fs::path& name) {
  const std::string& text = name.native();
  if (text == "-" || text == "/dev/stdout") return STDOUT_FILENO;
  if (text == "/dev/stderr") return STDERR_FILENO;
  for (const std::string folder : {"/dev/fd/", "/proc/self/fd/"}) {
    if (!text.starts_with(folder)) continue;
    int number = -1;
    const char* end = text.data() + text.size();
    const auto read = std::from_chars(text.data() + folder.size(), end, number);
    if (read.ec == std::errc() && read.ptr == end && number >= 0) return number;
  }
  return std::nullopt;
}

Output find_output(const fs::path& name, const std::string& what) {
  Output output{OutputKind::file, behind_links(name)};
  if (open_descriptor(output.path)) return {OutputKind::stream, output.path};
  struct stat status {};
  if (::stat(output.path.c_str(), &status) == 0) {
    if (passes_bytes_on(status.st_mode)) return {OutputKind::stream, output.path};
    check_regular(status, output, name, what);
  } else if (errno == ENOENT) {
    if (!output.path.has_filename()) refuse(name, what, "it names no file");
    check_folder(output.path, name, what);
  } else {
    refuse(name, what, reason_of(errno));
  }
  return output;
}

fs::path find_output_file(const fs::path& name, const std::string& what) {
  Output output = find_output(name, what);
  if (output.kind == OutputKind::stream) {
    refuse(name, what, "it is a pipe or a device, which a whole file cannot replace; name a file");
  }
  check_folder(output.path, name, what);
  return std::move(output.path);
}

// Nothing for what keeps no bytes: many may write to it.
std::optional<FileRoles::Identity> FileRoles::identify(const fs::path& name) {
  const fs::path file = behind_links(name);
  struct stat status {};
  if (file.empty() || open_descriptor(file)) return std::nullopt;
  if (::stat(file.c_str(), &status) == 0) {
    return S_ISREG(status.st_mode) ? std::optional(Identity{status.st_dev, status.st_ino, ""}) : std::nullopt;
  }
  if (::stat(folder_of(file).c_str(), &status) != 0) return std::nullopt;
  return Identity{status.st_dev, status.st_ino, file.filename().string()};
}

void FileRoles::reads(const fs::path& file, const std::string& role) {
  if (const auto identity = identify(file)) roles_.emplace(*identity, role);
}

void FileRoles::reads_below(const fs::path& folder, const std::string& role) {
  std::error_code ignored;
  for (fs::recursive_directory_iterator entry(folder, ignored), end; entry != end; entry.increment(ignored)) {
    if (entry->is_regular_file(ignored)) reads(entry->path(), role);
  }
}

void FileRoles::check(const fs::path& output, const std::string& role) const {
  const auto identity = identify(output);
  const auto found = identity ? roles_.find(*identity) : roles_.end();
  if (found == roles_.end()) return;
  throw Error(ErrorCode::invalid_argument,
              role + " '" + output.string() + "' would overwrite " + found->second + "; name another place");
}

void FileRoles::writes(const fs::path& output, const std::string& role) {
  check(output, role);
  if (const auto identity = identify(output)) roles_.emplace(*identity, role);
}

}  // namespace padim
