#pragma once

#include <mutex>
#include <stop_token>

namespace padim::gst {

/// Lets other threads wake the streaming thread from a wait: where a flush or a change of state wants it back. Any
/// thread.
class Interruption {
 public:
  /// Ends the waits with the current token, and those that begin before reset().
  void interrupt() {
    std::stop_source source;
    {
      const std::lock_guard lock(mutex_);
      source = source_;
    }
    source.request_stop();
  }

  void reset() {
    const std::lock_guard lock(mutex_);
    source_ = std::stop_source();
  }

  [[nodiscard]] std::stop_token token() const {
    const std::lock_guard lock(mutex_);
    return source_.get_token();
  }

 private:
  mutable std::mutex mutex_;
  std::stop_source source_;
};

}  // namespace padim::gst
