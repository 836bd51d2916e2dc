#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "appendedfile.h"
#include "base/line_stream.h"
#include "base/output.h"

namespace padim::gst {

/// Where one JSON object per frame and line goes: to the end of a file, or into a stream. Each line is handed to the
/// system when it is written, so that readers can follow.
class JsonLines {
 public:
  /// location: a path, or "-" for standard output. max_bytes: see AppendedFile; of no meaning for a stream. Throws
  /// cannot_write.
  JsonLines(const std::string& location, std::uint64_t max_bytes);

  /// give_up: see LineStream. Throws cannot_write.
  void write(const std::string& object, const LineStream::GiveUp& give_up = {});

 private:
  using Target = std::variant<AppendedFile, LineStream>;

  Target target_;
};

/// Gives the files that a location stands for their role, before any of them is opened. Throws invalid_argument where
/// one of them has another role, cannot_write where it is none that can be written.
void note_json_lines(const std::string& location, std::uint64_t max_bytes, FileRoles& roles);

}  // namespace padim::gst
