#pragma once

#include <chrono>

namespace padim {

/// Wall time between places of the code.
class Stopwatch {
 public:
  /// Milliseconds since the latest call, or since this object was made.
  double lap() {
    const auto now = std::chrono::steady_clock::now();
    const std::chrono::duration<double, std::milli> passed = now - begin_;
    begin_ = now;
    return passed.count();
  }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace padim
