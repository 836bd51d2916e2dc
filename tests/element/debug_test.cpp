#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "debug_log.h"
#include "element_harness.h"
#include "padim/model.h"

namespace padim::test {
namespace {

bool says(const std::vector<std::string>& lines, const std::vector<std::string>& words) {
  return std::ranges::any_of(lines, [&](const std::string& line) {
    return std::ranges::all_of(words, [&](const std::string& word) { return line.find(word) != std::string::npos; });
  });
}

std::string joined(const std::vector<std::string>& lines) {
  std::string all;
  for (const std::string& line : lines) all += "\n" + line;
  return all;
}

// INFO: what detects, and with what.
TEST(DebugTest, SaysWhatIsInUse) {
  DebugLog log(GST_LEVEL_INFO);
  ElementHarness harness("overlay=0 threads=1 model-file=" + fitted_model());
  const Model model = Model::load(fitted_model());
  const auto lines = log.take(GST_LEVEL_INFO);
  EXPECT_TRUE(says(lines, {model.id(), "efficientnet_lite0", "cpu", "float32", "threads 1"})) << joined(lines);
  EXPECT_EQ(log.nameless(), 0);
}

// INFO: each job says when it starts, and when it ends how long it took.
TEST(DebugTest, SaysWhenJobsStartAndEnd) {
  const TemporaryFolder folder;
  DebugLog log(GST_LEVEL_INFO);
  ElementHarness harness("mode=fit-then-detect overlay=0 fit-frames=12 model-file=" + folder.file("model.padim"));
  harness.push_normal(0, 12);
  ASSERT_TRUE(harness.wait_for("padim-fitted"));
  harness.push_normal(12, 1);
  const auto lines = log.take(GST_LEVEL_INFO);
  EXPECT_TRUE(says(lines, {"finishing", "starts"})) << joined(lines);
  EXPECT_TRUE(says(lines, {"finishing", "ended after", "ms"})) << joined(lines);
  EXPECT_EQ(log.nameless(), 0);
}

// LOG: one line per frame, with the time of each stage where the frame was scored; below that level, none.
TEST(DebugTest, LogsOneLinePerFrame) {
  for (const GstDebugLevel level : {GST_LEVEL_LOG, GST_LEVEL_DEBUG}) {
    DebugLog log(level);
    ElementHarness harness("overlay=text inference-interval=2 model-file=" + fitted_model());
    log.take(GST_LEVEL_LOG);
    harness.push_normal(0, 4);
    const auto lines = log.take(GST_LEVEL_LOG);
    if (level == GST_LEVEL_DEBUG) {
      EXPECT_TRUE(lines.empty()) << joined(lines);
      continue;
    }
    ASSERT_EQ(lines.size(), 4U) << joined(lines);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      EXPECT_TRUE(says({lines[i]}, {"frame " + std::to_string(i), i % 2 == 0 ? "detect" : "reuse", "overlay"}));
      for (const char* stage : {"preprocess", "network", "embedding", "distances", "map", "regions"}) {
        EXPECT_EQ(says({lines[i]}, {stage}), i % 2 == 0) << lines[i];
      }
    }
  }
}

// DEBUG: why a late frame was treated as it was, and what changed in the stream.
TEST(DebugTest, SaysWhyFramesAreLate) {
  DebugLog log(GST_LEVEL_DEBUG);
  ElementHarness harness("overlay=0 late-policy=drop model-file=" + fitted_model());
  harness.push_normal(0, 1);
  report_lateness(harness, 0, GST_SECOND / 10);
  harness.run(1);
  harness.set("mode", "off");
  harness.push_normal(2, 1);
  const auto lines = log.take(GST_LEVEL_DEBUG);
  EXPECT_TRUE(says(lines, {"frame 1", "late", "drop"})) << joined(lines);
  EXPECT_TRUE(says(lines, {"caps", "384x288", "BGR"})) << joined(lines);
  EXPECT_TRUE(says(lines, {"mode", "detect", "off"})) << joined(lines);
  EXPECT_EQ(log.nameless(), 0);
}

}  // namespace
}  // namespace padim::test
