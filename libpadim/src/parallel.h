#pragma once

#include <omp.h>

#include <algorithm>

namespace padim {

/// The number of threads that the option value `threads` stands for: all cores where it is not positive.
[[nodiscard]] inline int thread_count(int threads) { return threads > 0 ? threads : omp_get_num_procs(); }

/// Calls body(begin, end) on contiguous parts of [0, count), one per thread. OpenMP, because LibTorch uses it too: both share one
/// pool of threads instead of fighting over the cores. body must not throw.
template <class Body>
void parallel_for(int count, int threads, const Body& body) {
  const int parts = std::min(thread_count(threads), count);
  if (parts <= 1) {
    if (count > 0) body(0, count);
    return;
  }
#pragma omp parallel for num_threads(parts) schedule(static)
  for (int part = 0; part < parts; ++part) {
    body(static_cast<int>(static_cast<long long>(count) * part / parts),
         static_cast<int>(static_cast<long long>(count) * (part + 1) / parts));
  }
}

}  // namespace padim
