#include "base/worker_pool.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <new>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

std::atomic<std::int64_t> allocations = 0;

}  // namespace

// Counts what any thread of this program allocates.
void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace padim::test {
namespace {

// Every index is visited once, in contiguous parts, at most one per thread, for any count and number of threads.
TEST(WorkerPool, VisitsEachIndexOnce) {
  for (const int threads : {1, 2, 3, 8}) {
    WorkerPool pool(threads);
    EXPECT_EQ(pool.threads(), threads);
    for (const int count : {0, 1, 2, 3, 7, 8, 9, 1000}) {
      std::vector<std::atomic<int>> visits(static_cast<std::size_t>(count));
      std::atomic<int> parts = 0;
      pool.split(count, [&](int begin, int end) {
        ++parts;
        EXPECT_LT(begin, end);
        for (int i = begin; i < end; ++i) ++visits[static_cast<std::size_t>(i)];
      });
      for (const auto& visit : visits) EXPECT_EQ(visit, 1) << threads << " threads, count " << count;
      EXPECT_LE(parts, threads);
      EXPECT_LE(parts, count);
    }
  }
}

// The parts really run side by side: each waits until the others have begun.
TEST(WorkerPool, RunsPartsTogether) {
  WorkerPool pool(3);
  std::atomic<int> begun = 0;
  pool.split(3, [&](int, int) {
    ++begun;
    while (begun < 3) std::this_thread::yield();
  });
  EXPECT_EQ(begun, 3);
}

// Not positive means all cores.
TEST(WorkerPool, TakesAllCores) {
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  for (const int threads : {0, -1, -100}) EXPECT_EQ(WorkerPool(threads).threads(), std::max(cores, 1));
}

// An exception of any part comes out after all parts have ended, and the pool goes on working.
TEST(WorkerPool, RethrowsAndGoesOn) {
  for (const int threads : {1, 2, 4}) {
    WorkerPool pool(threads);
    for (int failing = 0; failing < 4; ++failing) {
      std::atomic<int> ended = 0;
      const auto body = [&](int begin, int end) {
        if (begin <= failing && failing < end) throw std::runtime_error("part " + std::to_string(failing));
        ended += end - begin;
      };
      try {
        pool.split(4, body);
        ADD_FAILURE() << "nothing was thrown";
      } catch (const std::runtime_error& error) {
        EXPECT_EQ(error.what(), "part " + std::to_string(failing));
      }
      EXPECT_LE(ended, 3);
      std::atomic<int> sum = 0;
      pool.split(100, [&](int begin, int end) { sum += end - begin; });
      EXPECT_EQ(sum, 100);
    }
  }
}

// Where every part throws, one exception comes out.
TEST(WorkerPool, RethrowsOneOfMany) {
  WorkerPool pool(4);
  for (int round = 0; round < 50; ++round) {
    EXPECT_THROW(pool.split(4, [](int begin, int) { throw std::out_of_range(std::to_string(begin)); }),
                 std::out_of_range);
  }
}

// The same few threads do all the work, and the caller is one of them.
TEST(WorkerPool, ReusesItsThreads) {
  WorkerPool pool(3);
  std::set<std::thread::id> seen;
  std::mutex mutex;
  for (int round = 0; round < 200; ++round) {
    pool.split(3, [&](int, int) {
      const std::lock_guard lock(mutex);
      seen.insert(std::this_thread::get_id());
    });
  }
  EXPECT_EQ(seen.size(), 3U);
  EXPECT_TRUE(seen.contains(std::this_thread::get_id()));
}

// Room for the stacks of a few threads: these do all the work, and nothing ends the process.
int sum_in_little_memory() {
  constexpr rlim_t kRoom = 256U << 20U;
  const rlimit limit{kRoom, kRoom};
  if (setrlimit(RLIMIT_AS, &limit) != 0) return 1;
  WorkerPool pool(1000);
  std::atomic<int> sum = 0;
  pool.split(1000, [&](int begin, int end) { sum += end - begin; });
  return pool.threads() < 1000 && sum == 1000 ? 0 : 1;
}
TEST(WorkerPoolDeathTest, TakesTheThreadsThatThereAre) {
  EXPECT_EXIT(std::exit(sum_in_little_memory()), testing::ExitedWithCode(0), "");
}

TEST(WorkerPool, AllocatesNothing) {
  WorkerPool pool(3);
  std::atomic<int> sum = 0;
  const auto body = [&](int begin, int end) { sum += end - begin; };
  pool.split(10, body);
  const auto before = allocations.load();
  for (int round = 0; round < 1000; ++round) pool.split(10, body);
  EXPECT_EQ(allocations, before);
  EXPECT_EQ(sum, 10010);
}

// A pool that moved works on, and one that never worked ends at once.
TEST(WorkerPool, Moves) {
  WorkerPool first(2);
  WorkerPool second(std::move(first));
  std::atomic<int> sum = 0;
  second.split(5, [&](int begin, int end) { sum += end - begin; });
  EXPECT_EQ(sum, 5);
  const WorkerPool idle(16);
  EXPECT_EQ(idle.threads(), 16);
}

}  // namespace
}  // namespace padim::test
