#pragma once

#include <chrono>
#include <utility>

namespace padim::tool {

/// Tells the time between one call and the next; the first counts from the construction.
class Stopwatch {
 public:
  double restart_seconds() {
    const auto now = Clock::now();
    return std::chrono::duration<double>(now - std::exchange(begin_, now)).count();
  }

  double restart_ms() { return restart_seconds() * 1000; }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point begin_ = Clock::now();
};

}  // namespace padim::tool
