#include "detect/thread_choice.h"

#include <gtest/gtest.h>

namespace padim::test {
namespace {

/// Frames on one thread take 1 ms, on more `with_more`; returns what `frames` of them take.
double play(ThreadChoice& choice, int frames, double with_more, int* on_more = nullptr) {
  double sum = 0;
  for (int i = 0; i < frames; ++i) {
    const double ms = choice.threads() == 1 ? 1 : with_more;
    if (on_more != nullptr) *on_more += choice.threads() == 1 ? 0 : 1;
    sum += ms;
    choice.took(ms);
  }
  return sum;
}

TEST(ThreadChoice, UsesWhatIsAllowedWhereItPays) {
  ThreadChoice choice(4);
  play(choice, 8, 0.4);
  EXPECT_EQ(choice.threads(), 4);
  EXPECT_NEAR(play(choice, 10000, 0.4), 4000, 1e-6);
  EXPECT_EQ(choice.threads(), 4);
}

TEST(ThreadChoice, KnowsOneThreadAlone) {
  ThreadChoice choice(1);
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(choice.threads(), 1);
    choice.took(i % 7);
  }
}

// A core that another program holds: a frame on two threads takes 290 ms instead of 1. Ten thousand frames may not take
// twice as long as on one, and the fewer are tried the longer it lasts.
TEST(ThreadChoice, LeavesThreadsThatWaitForOneAnother) {
  ThreadChoice choice(2);
  int tried = 0;
  EXPECT_LT(play(choice, 10000, 290, &tried), 2 * 10000);
  EXPECT_GE(tried, 6) << "it must find out when the core is free again";
  EXPECT_LE(tried, 20);
  play(choice, 4096, 0.6);
  EXPECT_EQ(choice.threads(), 2);
  EXPECT_NEAR(play(choice, 1000, 0.6), 600, 1e-6);
}

// The first frame with more threads prepares what the others use, and one frame may be late for any reason.
TEST(ThreadChoice, ForgivesASlowFrame) {
  ThreadChoice choice(2);
  play(choice, 8, 1);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(choice.threads(), 2);
    choice.took(i % 10 == 0 ? 40 : 0.6);
  }
}

// What is slow for both, because frames became larger or the clock fell, is no reason for one thread: a rest finds out.
TEST(ThreadChoice, ComparesWithTheLatestFramesOnOneThread) {
  ThreadChoice choice(2);
  play(choice, 100, 0.6);
  for (int i = 0; i < 200; ++i) choice.took(choice.threads() == 1 ? 3 : 1.8);
  EXPECT_EQ(choice.threads(), 2);
}

}  // namespace
}  // namespace padim::test
