#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "element_harness.h"

namespace padim::test {
namespace {

std::vector<std::string> lines_of(const std::string& file) {
  std::ifstream in(file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

bool has(const std::string& line, const std::string& text) { return line.find(text) != std::string::npos; }

// One object per input frame, counted through fit and detection; each line is readable as soon as its frame left.
TEST(JsonTest, OneLinePerFrame) {
  const TemporaryFolder folder;
  const std::string file = folder.file("scores.jsonl");
  ElementHarness harness("mode=fit-then-detect fit-frames=12 overlay=0 json-location=" + file);
  harness.push_normal(0, 14);
  harness.run(14, Content::anomalous);

  const auto lines = lines_of(file);
  ASSERT_EQ(lines.size(), 15U);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string& line = lines[i];
    EXPECT_EQ(line.front(), '{');
    EXPECT_EQ(line.back(), '}');
    EXPECT_TRUE(has(line, "\"frame\":" + std::to_string(i))) << line;
    EXPECT_TRUE(has(line, "\"pts_ns\":" + std::to_string(i * GST_SECOND / 30))) << line;
    EXPECT_TRUE(has(line, "\"source\":\"inspector\"")) << line;
    EXPECT_TRUE(has(line, i < 12 ? "\"state\":\"fit\"" : "\"state\":\"detect\"")) << line;
    EXPECT_EQ(has(line, "\"score\":"), i >= 12) << line;
  }
  EXPECT_TRUE(has(lines[13], "\"anomalous\":false")) << lines[13];
  EXPECT_TRUE(has(lines[14], "\"anomalous\":true")) << lines[14];
  EXPECT_TRUE(has(lines[14], "\"regions\":[{")) << lines[14];
}

// Frames that are not looked at are counted too, and a frame without a time has none.
TEST(JsonTest, OffAndUntimedFramesAreCounted) {
  const TemporaryFolder folder;
  const std::string file = folder.file("off.jsonl");
  ElementHarness harness("mode=off json-location=" + file);
  harness.push_normal(0, 2);
  Owned<GstBuffer> untimed = render(harness.scene(), 2);
  GST_BUFFER_PTS(untimed.get()) = GST_CLOCK_TIME_NONE;
  harness.run(std::move(untimed));
  const auto lines = lines_of(file);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_TRUE(has(lines[2], "\"frame\":2")) << lines[2];
  EXPECT_TRUE(has(lines[2], "\"state\":\"off\"")) << lines[2];
  EXPECT_FALSE(has(lines[2], "pts_ns")) << lines[2];
}

// A restart begins a new file.
TEST(JsonTest, RestartsWithTheElement) {
  const TemporaryFolder folder;
  const std::string file = folder.file("again.jsonl");
  ElementHarness harness("mode=off json-location=" + file);
  harness.push_normal(0, 5);
  gst_element_set_state(harness.element(), GST_STATE_NULL);
  gst_element_set_state(harness.element(), GST_STATE_PLAYING);
  EXPECT_TRUE(lines_of(file).empty());
}

// A full disk is an error that names the file.
TEST(JsonTest, FullDiskIsAnError) {
  ElementHarness harness("mode=off json-location=/dev/full");
  EXPECT_EQ(harness.push(0), GST_FLOW_ERROR);
  const auto failures = harness.failures();
  ASSERT_EQ(failures.size(), 1U);
  EXPECT_EQ(failures[0].code, GST_RESOURCE_ERROR_OPEN_WRITE);
  EXPECT_NE(failures[0].text.find("/dev/full"), std::string::npos);
}

}  // namespace
}  // namespace padim::test
