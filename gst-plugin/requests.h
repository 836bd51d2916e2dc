#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <mutex>
#include <utility>

namespace padim::gst {

/// What other threads may want of the streaming thread, which looks for it before each frame.
enum class Request : std::size_t { finish_fit, reload_model, reset, learn, count };

/// The requests that wait for the streaming thread. Each kind is accepted only while there is something that could
/// follow it. Any thread.
class Requests {
 public:
  /// Accepts requests of this kind from now on.
  void open(Request what) {
    const std::lock_guard lock(mutex_);
    at(what).open = true;
  }

  /// Forgets what was requested, and refuses it from now on.
  void close(Request what) {
    const std::lock_guard lock(mutex_);
    at(what) = {};
  }

  void close_all() {
    const std::lock_guard lock(mutex_);
    kinds_ = {};
  }

  [[nodiscard]] bool is_open(Request what) const {
    const std::lock_guard lock(mutex_);
    return kinds_[static_cast<std::size_t>(what)].open;
  }

  /// Adds to what was requested before: of learn, `amount` frames. False where nobody would follow it.
  [[nodiscard]] bool request(Request what, std::uint64_t amount = 1) {
    constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
    const std::lock_guard lock(mutex_);
    Kind& kind = at(what);
    if (kind.open) kind.amount += std::min(amount, kMost - kind.amount);
    return kind.open;
  }

  /// How much was requested since the last call: 0 where nothing was.
  [[nodiscard]] std::uint64_t take(Request what) {
    const std::lock_guard lock(mutex_);
    return std::exchange(at(what).amount, 0);
  }

 private:
  struct Kind {
    bool open = false;
    std::uint64_t amount = 0;  ///< 0 while closed
  };

  Kind& at(Request what) { return kinds_[static_cast<std::size_t>(what)]; }

  mutable std::mutex mutex_;
  std::array<Kind, static_cast<std::size_t>(Request::count)> kinds_;
};

}  // namespace padim::gst
