#include "backgroundtask.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>

#include "threads.h"

namespace padim::test {
namespace {

using gst::BackgroundTask;

void until(const std::stop_token& cancelled) {
  std::promise<void> stopped;
  const std::stop_callback note(cancelled, [&] { stopped.set_value(); });
  stopped.get_future().wait();
}

// The result comes once, after the work; nothing before the first start.
TEST(BackgroundTaskTest, HandsOutItsResultOnce) {
  BackgroundTask<std::string> task;
  EXPECT_FALSE(task.take());
  EXPECT_TRUE(task.wait());
  for (const char* word : {"one", "two"}) {
    std::atomic<bool> announced = false;
    task.start([word](const std::stop_token&) { return std::string(word); }, [&] { announced = true; });
    EXPECT_TRUE(task.wait());
    EXPECT_TRUE(announced);
    EXPECT_EQ(task.take(), word);
    EXPECT_FALSE(task.take());
  }
}

// Whoever hears the announcement can take the result.
TEST(BackgroundTaskTest, AnnouncesWhatCanBeTaken) {
  BackgroundTask<int> task;
  std::atomic<bool> announced = false;
  std::atomic<bool> taken = false;
  task.start([](const std::stop_token&) { return 7; },
             [&] {
               announced = true;
               while (!taken) std::this_thread::yield();
             });
  while (!announced) std::this_thread::yield();
  EXPECT_EQ(task.take(), 7);
  taken = true;
  EXPECT_TRUE(task.wait());
}

// What the work throws comes out of take(), once, and nothing is announced.
TEST(BackgroundTaskTest, RethrowsInItsOwnersThread) {
  BackgroundTask<int> task;
  bool announced = false;
  task.start([](const std::stop_token&) -> int { throw std::runtime_error("no"); }, [&] { announced = true; });
  EXPECT_TRUE(task.wait());
  EXPECT_THROW(static_cast<void>(task.take()), std::runtime_error);
  EXPECT_FALSE(task.take());
  EXPECT_FALSE(announced);
}

// Polling never waits for the work.
TEST(BackgroundTaskTest, TakesNothingWhileItRuns) {
  BackgroundTask<int> task;
  std::atomic<bool> go = false;
  task.start([&](const std::stop_token&) {
    while (!go) std::this_thread::yield();
    return 1;
  });
  EXPECT_FALSE(task.take());
  std::stop_source interrupted;
  interrupted.request_stop();
  EXPECT_FALSE(task.wait(interrupted.get_token()));
  go = true;
  EXPECT_TRUE(task.wait());
  EXPECT_EQ(task.take(), 1);
}

// A wait ends when another thread interrupts it; the work goes on.
TEST(BackgroundTaskTest, WaitsAreInterrupted) {
  BackgroundTask<int> task;
  std::atomic<bool> go = false;
  task.start([&](const std::stop_token&) {
    while (!go) std::this_thread::yield();
    return 1;
  });
  std::stop_source interruption;
  std::thread other([&, waiting = this_thread()] {
    EXPECT_TRUE(wait_until_asleep(waiting));
    interruption.request_stop();
  });
  EXPECT_FALSE(task.wait(interruption.get_token()));
  other.join();
  go = true;
  EXPECT_TRUE(task.wait());
  EXPECT_EQ(task.take(), 1);
}

// Cancelled work is neither announced nor handed out, whether it stops or completes; the next one is not mixed up with
// it.
TEST(BackgroundTaskTest, CancelledWorkLeavesNothing) {
  for (const bool completes : {true, false}) {
    BackgroundTask<int> task;
    std::atomic<int> announced = 0;
    task.start(
        [completes](const std::stop_token& cancelled) -> int {
          until(cancelled);
          if (!completes) throw std::runtime_error("stopped");
          return 1;
        },
        [&] { ++announced; });
    task.cancel();
    EXPECT_FALSE(task.take());
    task.start([](const std::stop_token&) { return 2; }, [&] { ++announced; });
    EXPECT_TRUE(task.wait());
    EXPECT_EQ(task.take(), 2);
    EXPECT_EQ(announced, 1);
  }
}

// A result that nobody took is dropped by cancel(), too.
TEST(BackgroundTaskTest, CancelDropsAResultThatIsThere) {
  BackgroundTask<int> task;
  task.start([](const std::stop_token&) { return 1; });
  EXPECT_TRUE(task.wait());
  task.cancel();
  EXPECT_FALSE(task.take());
}

// The end of the task cancels and joins; what the work owns is gone by then.
TEST(BackgroundTaskTest, EndsWithItsOwner) {
  const auto owned = std::make_shared<int>(1);
  {
    BackgroundTask<int> task;
    task.start([owned](const std::stop_token& cancelled) {
      until(cancelled);
      return *owned;
    });
  }
  EXPECT_EQ(owned.use_count(), 1);
}

// What the work owns goes with the work, not with the owner's next step.
TEST(BackgroundTaskTest, FreesTheWorkWhenItIsDone) {
  const auto owned = std::make_shared<int>(1);
  BackgroundTask<int> task;
  task.start([owned](const std::stop_token&) { return *owned; });
  EXPECT_TRUE(task.wait());
  EXPECT_EQ(owned.use_count(), 1);
}

}  // namespace
}  // namespace padim::test
