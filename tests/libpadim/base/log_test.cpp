#include "padim/log.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/logging.h"

namespace padim::test {
namespace {

class Log : public testing::Test {
 protected:
  void TearDown() override { set_log_handler({}); }
};

// Without a handler nothing is said, to nobody: standard output and error stay empty.
TEST_F(Log, IsSilentWithoutAHandler) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  log(LogLevel::warning, "unheard");
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

// A message that nobody hears is not made.
TEST_F(Log, MakesNoMessageWithoutAHandler) {
  int made = 0;
  const auto message = [&] {
    ++made;
    return "made";
  };
  log(LogLevel::debug, message);
  EXPECT_EQ(made, 0);
  std::string heard;
  set_log_handler([&](LogLevel, const std::string& text) { heard += text; });
  log(LogLevel::debug, message);
  EXPECT_EQ(heard, "made");
  EXPECT_EQ(made, 1);
  set_log_handler({});
  log(LogLevel::debug, message);
  EXPECT_EQ(made, 1);
}

// The handler gets level and message, until another or an empty one takes its place.
TEST_F(Log, ReachesTheHandlerInForce) {
  std::vector<std::pair<LogLevel, std::string>> first;
  std::vector<std::pair<LogLevel, std::string>> second;
  set_log_handler([&](LogLevel level, const std::string& message) { first.emplace_back(level, message); });
  log(LogLevel::debug, "one");
  log(LogLevel::warning, "two");
  set_log_handler([&](LogLevel level, const std::string& message) { second.emplace_back(level, message); });
  log(LogLevel::info, "three");
  set_log_handler({});
  log(LogLevel::info, "four");
  EXPECT_EQ(first,
            (std::vector<std::pair<LogLevel, std::string>>{{LogLevel::debug, "one"}, {LogLevel::warning, "two"}}));
  EXPECT_EQ(second, (std::vector<std::pair<LogLevel, std::string>>{{LogLevel::info, "three"}}));
}

// A handler may log and replace itself while it runs; nothing is locked then.
TEST_F(Log, LetsTheHandlerLogAndChangeTheHandler) {
  std::vector<std::string> heard;
  set_log_handler([&](LogLevel, const std::string& message) {
    heard.push_back(message);
    set_log_handler([&](LogLevel, const std::string& later) { heard.push_back("new: " + later); });
    log(LogLevel::info, "from the handler");
  });
  log(LogLevel::info, "outer");
  EXPECT_EQ(heard, (std::vector<std::string>{"outer", "new: from the handler"}));
}

// Handlers come and go while threads log: every message reaches one of them.
TEST_F(Log, IsSafeBetweenThreads) {
  constexpr int kMessages = 2000;
  std::atomic<int> heard = 0;
  set_log_handler([&](LogLevel, const std::string&) { ++heard; });
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([] {
      for (int k = 0; k < kMessages; ++k) log(LogLevel::info, "message");
    });
  }
  for (int k = 0; k < 200; ++k) {
    set_log_handler([&](LogLevel, const std::string&) { ++heard; });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(heard, 3 * kMessages);
}

}  // namespace
}  // namespace padim::test
