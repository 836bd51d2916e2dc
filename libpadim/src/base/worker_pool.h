#pragma once

#include <memory>

namespace padim {

/// A few threads that sleep until there is work. Not OpenMP: its threads spin while they wait for one another, which
/// beside a decoder or an encoder on the same cores makes every frame several times slower (docs/decisions/0003). One
/// user at a time.
class WorkerPool {
 public:
  /// threads: the caller included; not positive: all cores. Fewer where the system has no more.
  explicit WorkerPool(int threads);
  ~WorkerPool();
  WorkerPool(WorkerPool&&) noexcept;
  WorkerPool& operator=(WorkerPool&&) noexcept;

  [[nodiscard]] int threads() const;

  /// Calls body(begin, end) on contiguous parts of [0, count), one per thread, and waits for all of them. Rethrows the
  /// first exception. Allocates nothing.
  template <class Body>
  void split(int count, const Body& body) {
    const auto call = [](const void* context, int begin, int end) { (*static_cast<const Body*>(context))(begin, end); };
    run(count, call, &body);
  }

 private:
  using Call = void (*)(const void* context, int begin, int end);
  void run(int count, Call call, const void* context);

  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace padim
