#pragma once

#include <cstdio>
#include <memory>
#include <string>

namespace padim::gst {

/// A file of one JSON object per line. Each line is handed to the system when it is written, so that readers can
/// follow.
class JsonLines {
 public:
  /// location: a path, whose old content is replaced, or "-" for standard output. Throws cannot_write.
  explicit JsonLines(std::string location);

  /// Throws cannot_write, for example where the disk is full.
  void write(const std::string& object);

 private:
  struct Close {
    void operator()(std::FILE* file) const noexcept;
  };

  std::string location_;
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace padim::gst
