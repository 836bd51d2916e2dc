#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

namespace padim::gst {

/// A file of one JSON object per line. Each line is handed to the system when it is written, so that readers can
/// follow. Whoever moves or deletes the file, as logrotate does, finds a new one in its place within a second of the
/// next line; where `max_bytes` is set the file moves itself to LOCATION.1 and begins anew.
class JsonLines {
 public:
  /// location: a path, whose old content is replaced, or "-" for standard output. max_bytes: size that the file does
  /// not exceed as long as a line fits, 0 for none; of no meaning for anything but a regular file. Throws cannot_write.
  explicit JsonLines(std::string location, std::uint64_t max_bytes = 0);

  /// Throws cannot_write, for example where the disk is full.
  void write(const std::string& object);

 private:
  struct Close {
    void operator()(std::FILE* file) const noexcept;
  };

  void open(const char* mode);
  void reopen();  ///< by its name, to write on at its end
  [[nodiscard]] bool was_moved();
  void make_room(std::uint64_t bytes);

  std::string location_;
  std::uint64_t max_bytes_;
  std::unique_ptr<std::FILE, Close> file_;
  bool regular_ = false;
  std::uint64_t bytes_ = 0;     ///< in the file; where it is regular
  GstClockTime next_look_ = 0;  ///< system_time
};

}  // namespace padim::gst
