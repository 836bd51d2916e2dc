#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>

namespace padim::gst {

/// One piece of work at a time on a thread of its own. Its owner, a single thread, starts it, polls for the result and
/// never waits unless it says so; what the work throws comes out of take(). The destructor cancels and joins.
template <class Result>
class BackgroundTask {
 public:
  /// Runs on the task's thread; should end soon, in any way, once `cancelled` is. It must own what it uses, or that
  /// must outlive the task.
  using Work = std::function<Result(const std::stop_token& cancelled)>;

  /// Runs on the task's thread as soon as the result can be taken: tells others about it. Must not throw.
  using Announcement = std::function<void()>;

  /// Joins an earlier piece of work that was cancelled and has not ended yet; no other may be going on. Throws
  /// std::system_error where there is no thread to be had.
  void start(Work work, Announcement announce = {}) {
    thread_ = {};
    result_.reset();
    failure_ = nullptr;
    busy_ = true;
    try {
      thread_ = std::jthread([this, work = std::move(work), announce = std::move(announce)](
                                 const std::stop_token& cancelled) mutable { run(work, announce, cancelled); });
    } catch (...) {
      busy_ = false;
      throw;
    }
  }

  /// The result, once; nothing before it is there and after cancel(). Rethrows what the work threw.
  [[nodiscard]] std::optional<Result> take() {
    const std::lock_guard lock(mutex_);
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
    return std::exchange(result_, std::nullopt);
  }

  /// Waits until the work and its announcement have ended. False where `interrupted` came first.
  [[nodiscard]] bool wait(const std::stop_token& interrupted = {}) {
    std::unique_lock lock(mutex_);
    return ended_.wait(lock, interrupted, [this] { return !busy_; });
  }

  /// Asks the work to end, drops its result and does not wait.
  void cancel() {
    thread_.request_stop();
    const std::lock_guard lock(mutex_);
    result_.reset();
    failure_ = nullptr;
  }

 private:
  void run(Work& work, Announcement& announce, const std::stop_token& cancelled) noexcept {
    std::optional<Result> result;
    std::exception_ptr failure;
    try {
      result.emplace(work(cancelled));
    } catch (...) {
      failure = std::current_exception();
    }
    work = {};  // what it owns ends here, not in the owner's thread
    const bool succeeded = result.has_value() && !cancelled.stop_requested();
    {
      const std::lock_guard lock(mutex_);
      if (!cancelled.stop_requested()) {
        result_ = std::move(result);
        failure_ = std::move(failure);
      }
    }
    if (succeeded && announce) announce();
    announce = {};
    {
      const std::lock_guard lock(mutex_);
      busy_ = false;
    }
    ended_.notify_all();
  }

  std::mutex mutex_;  // guards the following while thread_ runs
  std::condition_variable_any ended_;
  std::optional<Result> result_;
  std::exception_ptr failure_;
  bool busy_ = false;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace padim::gst
