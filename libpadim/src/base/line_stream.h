#pragma once

#include <functional>
#include <string>

#include "base/file.h"
#include "base/output.h"

namespace padim {

/// Lines for whoever reads them as they come: through a pipe, on a terminal, from standard output. A pipe takes lines
/// up to 4096 bytes whole, whoever else writes into it.
class LineStream {
 public:
  /// Asked while the reader does not read: whether to go on without it.
  using GiveUp = std::function<bool()>;

  /// output: a stream that find_output() found; what: see there. Does not wait for a reader: throws cannot_write where
  /// a named pipe has none, or the stream cannot be opened.
  LineStream(const Output& output, const std::string& what);

  /// Writes a line, which has no line break yet, and returns when it is on its way; a reader that is slow is waited
  /// for. A reader that has gone raises no signal: throws cannot_write.
  void write(const std::string& line, const GiveUp& give_up = {});

 private:
  [[nodiscard]] bool wait_for_reader(const GiveUp& give_up) const;
  [[noreturn]] void fail(int error) const;

  std::string name_;
  Descriptor descriptor_;
};

}  // namespace padim
