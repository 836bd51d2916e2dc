#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace padim::tool {

/// Prints "padim: <message>" on stderr, above a progress bar that may be there. Thread-safe.
void notice(const std::string& message);

/// Shows how far a piece of work is, on stderr: on a terminal a bar with rate and time left, elsewhere a line every
/// half minute, so that logs stay short. One at a time.
class Progress {
 public:
  /// label: what is done ("fit"); unit: of what ("frames"); total: 0 where unknown.
  Progress(std::string label, std::string unit, std::int64_t total);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `done` units are done in all.
  void update(std::int64_t done);

  [[nodiscard]] double elapsed_seconds() const;

 private:
  [[nodiscard]] std::string line() const;

  using Clock = std::chrono::steady_clock;
  std::string label_;
  std::string unit_;
  std::int64_t total_;
  std::int64_t done_ = 0;
  Clock::time_point begin_ = Clock::now();
  Clock::time_point shown_ = begin_;
};

/// "48.3" or "4.83": three significant digits, for rates and seconds.
[[nodiscard]] std::string three_digits(double value);

}  // namespace padim::tool
