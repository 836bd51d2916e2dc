#include "base/worker_pool.h"

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace padim {

struct WorkerPool::Impl {
  explicit Impl(int wanted) {
    workers.reserve(static_cast<std::size_t>(wanted - 1));
    while (threads < wanted && add_worker()) ++threads;
  }

  // Where the system has no further thread, those that there are do all the work.
  bool add_worker() {
    try {
      workers.emplace_back([this, part = threads] { work(part); });
      return true;
    } catch (const std::system_error&) {
      return false;
    }
  }

  ~Impl() {
    {
      const std::lock_guard lock(mutex);
      stopping = true;
    }
    started.notify_all();
    for (std::thread& worker : workers) worker.join();
  }

  void work(int part) {
    std::uint64_t seen = 0;
    std::unique_lock lock(mutex);
    while (true) {
      started.wait(lock, [&] { return stopping || generation != seen; });
      if (stopping) return;
      seen = generation;
      lock.unlock();
      do_part(part);
      lock.lock();
      if (--unfinished == 0) finished.notify_one();
    }
  }

  void do_part(int part) {
    const auto edge = [&](int i) { return static_cast<int>(std::int64_t{count} * i / threads); };
    if (edge(part) == edge(part + 1)) return;
    try {
      call(context, edge(part), edge(part + 1));
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!failure) failure = std::current_exception();
    }
  }

  void run(int new_count, Call new_call, const void* new_context) {
    {
      const std::lock_guard lock(mutex);
      count = new_count;
      call = new_call;
      context = new_context;
      unfinished = threads - 1;
      ++generation;
    }
    started.notify_all();
    do_part(0);
    std::unique_lock lock(mutex);
    finished.wait(lock, [&] { return unfinished == 0; });
    if (failure) std::rethrow_exception(std::exchange(failure, nullptr));
  }

  int threads = 1;   // the caller included; constant once constructed
  std::mutex mutex;  // guards everything below; count, call and context are constant while parts run
  std::condition_variable started;
  std::condition_variable finished;
  std::uint64_t generation = 0;
  int unfinished = 0;
  bool stopping = false;
  std::exception_ptr failure;
  int count = 0;
  Call call = nullptr;
  const void* context = nullptr;
  std::vector<std::thread> workers;  // last: they use all of the above
};

WorkerPool::WorkerPool(int threads) {
  const int cores = std::max(static_cast<int>(std::thread::hardware_concurrency()), 1);
  impl_ = std::make_unique<Impl>(threads > 0 ? threads : cores);
}
WorkerPool::~WorkerPool() = default;
WorkerPool::WorkerPool(WorkerPool&&) noexcept = default;
WorkerPool& WorkerPool::operator=(WorkerPool&&) noexcept = default;

int WorkerPool::threads() const { return impl_->threads; }

void WorkerPool::run(int count, Call call, const void* context) {
  if (impl_->threads == 1 || count <= 1) {
    if (count > 0) call(context, 0, count);
    return;
  }
  impl_->run(count, call, context);
}

}  // namespace padim
