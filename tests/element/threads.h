#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>

#include <sys/types.h>

namespace padim::test {

/// Holds up every thread but the one that made it, while closed.
class Gate {
 public:
  void pass() {
    std::unique_lock lock(mutex_);
    if (std::this_thread::get_id() != owner_) opened_.wait(lock, [this] { return open_; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    opened_.notify_all();
  }

 private:
  const std::thread::id owner_ = std::this_thread::get_id();
  std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = false;
};

/// The calling thread, as the system calls it.
pid_t this_thread();

/// Returns when another thread of this process has gone to sleep: it waits for something. False where that does not
/// happen within a minute.
bool wait_until_asleep(pid_t thread);

/// Counts what happens in one thread, so that another can wait for it.
class Counter {
 public:
  void add() {
    const std::lock_guard lock(mutex_);
    ++count_;
    changed_.notify_all();
  }
  /// Nothing will be added any more.
  void end() {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }
  /// Returns when `more` were added from now on; false where the end came first.
  bool wait_for(std::size_t more) {
    std::unique_lock lock(mutex_);
    const std::size_t wanted = count_ + more;
    changed_.wait(lock, [&] { return ended_ || count_ >= wanted; });
    return count_ >= wanted;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t count_ = 0;
  bool ended_ = false;
};

}  // namespace padim::test
