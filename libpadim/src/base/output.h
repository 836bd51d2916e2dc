#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <tuple>

namespace padim {

// What may be written, and where: the one answer for library, element and tool. An output replaces a regular file or
// takes a new name, and nothing else; it is never a file that the same command or element reads or writes besides.

/// What a name that is to be written leads to.
enum class OutputKind {
  file,    ///< a regular file, or a new name
  stream,  ///< what takes bytes and keeps none: a pipe, a terminal, a character device, an open descriptor
};

struct Output {
  OutputKind kind = OutputKind::file;
  std::filesystem::path path;  ///< behind all symbolic links: these stay as they are
};

/// `what` names the file's role in errors ("model"). Throws cannot_write where the name leads to a folder, a block
/// device or a socket, to a file that is write-protected, or to a new one in no folder that can be written.
[[nodiscard]] Output find_output(const std::filesystem::path& name, const std::string& what);

/// The same for a file that is written aside and renamed: returns its path. Throws cannot_write for a stream, too.
[[nodiscard]] std::filesystem::path find_output_file(const std::filesystem::path& name, const std::string& what);

/// What the system says of an error number.
[[nodiscard]] std::string reason_of(int error);

/// The folder that the name lies in.
[[nodiscard]] std::filesystem::path folder_of(const std::filesystem::path& file);

/// The descriptor of this process that the name stands for: "-", /dev/stdout, /dev/stderr, /dev/fd/N and
/// /proc/self/fd/N. Nothing where it is an ordinary name.
[[nodiscard]] std::optional<int> open_descriptor(const std::filesystem::path& name);

/// The files that one command, or one element, has to do with. Links and spellings do not matter: files are told apart
/// as the file system does.
class FileRoles {
 public:
  /// The file is read as `role` ("the model").
  void reads(const std::filesystem::path& file, const std::string& role);

  /// Likewise every file below a folder.
  void reads_below(const std::filesystem::path& folder, const std::string& role);

  /// Throws invalid_argument where what would be written as `role` is read or written as something else.
  void check(const std::filesystem::path& output, const std::string& role) const;

  /// check(), and no other output may be this file from now on.
  void writes(const std::filesystem::path& output, const std::string& role);

 private:
  using Identity = std::tuple<std::uint64_t, std::uint64_t, std::string>;  // device, inode, name of a new file in it

  [[nodiscard]] static std::optional<Identity> identify(const std::filesystem::path& name);

  std::map<Identity, std::string> roles_;
};

}  // namespace padim
