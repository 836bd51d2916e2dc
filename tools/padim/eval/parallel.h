#pragma once

#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace padim::tool {

/// Number of threads that the option --threads stands for: all cores where it is not positive.
[[nodiscard]] inline int thread_count(int wanted) {
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  return wanted > 0 ? wanted : cores > 0 ? cores : 1;
}

/// Runs work(i) for i = 0..count-1, begun in this order, on up to `threads` threads; each makes its own `work` by
/// make_work(), so that scratch memory need not be shared. The first exception stops all and is thrown again.
template <class MakeWork>
void run_parallel(std::size_t count, int threads, const MakeWork& make_work) {
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  std::exception_ptr failure;
  const auto run = [&] {
    try {
      auto work = make_work();
      for (std::size_t i = next++; i < count; i = next++) work(i);
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!failure) failure = std::current_exception();
      next = count;
    }
  };
  {
    std::vector<std::jthread> others;
    try {
      for (std::size_t t = 1; t < static_cast<std::size_t>(threads) && t < count; ++t) others.emplace_back(run);
    } catch (const std::system_error&) {  // the system has no further thread: those that there are do all the work
    }
    run();
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace padim::tool
