#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/file.h"

namespace padim::gst {

/// A file of lines that grows at its end, by any number of writers in any number of processes: each line goes in whole,
/// in one piece, under an advisory lock (flock). What stands there stays; where a writer was killed within a line, the
/// next one begins anew behind it. Whoever moves or deletes the file, as logrotate does, finds a new one in its place
/// with the next line; where `max_bytes` is set the file moves itself to FILE.1, in the place of an older one.
class AppendedFile {
 public:
  /// what: its role in errors. max_bytes: size that the file does not exceed as long as a line fits, 0 for none. Throws
  /// cannot_write, also for a file that holds something else than JSON objects.
  AppendedFile(std::filesystem::path name, std::string what, std::uint64_t max_bytes);

  /// Throws cannot_write, for example where the disk is full; what stood there before is as it was then.
  void append(const std::string& line);

 private:
  void open();
  [[nodiscard]] bool append_here(const std::string& line);
  [[nodiscard]] bool has_its_name() const;
  [[nodiscard]] std::uint64_t size() const;
  [[nodiscard]] char byte_at(std::uint64_t offset) const;
  void check_contents() const;
  void write(const std::string& text, std::uint64_t end);
  void rotate() const;
  [[noreturn]] void fail(const std::string& cause) const;

  std::filesystem::path name_;  ///< as it was given
  std::string what_;
  std::uint64_t max_bytes_;
  std::filesystem::path path_;  ///< behind symbolic links
  Descriptor descriptor_;
};

}  // namespace padim::gst
