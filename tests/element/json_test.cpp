#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
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
  harness.push_normal(0, 12);
  ASSERT_TRUE(harness.wait_for("padim-fitted"));
  harness.push_normal(12, 2);
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

// A restart goes on behind what is there, and behind half a line that a kill left.
TEST(JsonTest, GoesOnWhereItIs) {
  const TemporaryFolder folder;
  const std::string file = folder.file("again.jsonl");
  std::ofstream(file) << "{\"yesterday\":true}\n{\"torn\":";
  for (int run = 0; run < 2; ++run) {
    ElementHarness harness("mode=off json-location=" + file);
    harness.push_normal(0, 3);
  }
  const auto lines = lines_of(file);
  ASSERT_EQ(lines.size(), 8U);
  EXPECT_EQ(lines[0], "{\"yesterday\":true}");
  EXPECT_EQ(lines[1], "{\"torn\":");
  for (std::size_t i = 2; i < 8; ++i) {
    EXPECT_TRUE(has(lines[i], "\"frame\":" + std::to_string((i - 2) % 3) + ",")) << lines[i];
    EXPECT_EQ(lines[i].back(), '}');
  }
}

// Elements that share a file put whole lines into it, also while it moves away under them: none is lost, none is torn.
TEST(JsonTest, IsShared) {
  constexpr int kFrames = 60;
  for (const std::string properties : {"", " json-max-bytes=15000"}) {
    const TemporaryFolder folder;
    const std::string file = folder.file("shared.jsonl");
    const std::string all = "mode=off" + properties + " json-location=" + file;
    std::vector<std::thread> writers;
    for (int writer = 0; writer < 3; ++writer) {
      writers.emplace_back([&] { ElementHarness(all).push_normal(0, kFrames); });
    }
    for (std::thread& writer : writers) writer.join();
    auto lines = lines_of(file);
    const auto older = lines_of(file + ".1");
    EXPECT_EQ(older.empty(), properties.empty());
    lines.insert(lines.end(), older.begin(), older.end());
    EXPECT_EQ(lines.size(), 3U * kFrames);
    for (const std::string& line : lines) {
      EXPECT_TRUE(line.starts_with("{\"source\"") && line.ends_with("\"off\"}")) << line;
    }
  }
}

// A start that fails leaves what is there, and makes nothing.
TEST(JsonTest, IsOpenedLast) {
  const TemporaryFolder folder;
  const std::string file = folder.file("scores.jsonl");
  const auto start = [&] {
    const auto element = make_element("model-file=" + folder.file("missing.padim") + " json-location=" + file);
    EXPECT_EQ(gst_element_set_state(element.get(), GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
    gst_element_set_state(element.get(), GST_STATE_NULL);
  };
  start();
  EXPECT_FALSE(std::filesystem::exists(file));
  std::ofstream(file) << "{}\n";
  start();
  EXPECT_EQ(lines_of(file), std::vector<std::string>{"{}"});
}

// A pipe takes the lines while somebody reads; nobody waits for a reader, and none that leaves takes the process along.
TEST(JsonTest, GoesThroughAPipe) {
  ASSERT_NE(std::signal(SIGPIPE, SIG_DFL), SIG_ERR);
  const TemporaryFolder folder;
  const std::string pipe = folder.file("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const auto element = make_element("mode=off json-location=" + pipe);
  const Owned<GstBus> bus(gst_element_get_bus(element.get()));
  EXPECT_EQ(gst_element_set_state(element.get(), GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  const auto refused = failures_on(bus.get());
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_NE(refused[0].text.find("nobody reads"), std::string::npos) << refused[0].text;
  gst_element_set_state(element.get(), GST_STATE_NULL);

  const int reader = open(pipe.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ElementHarness harness("mode=off json-location=" + pipe);
  harness.push_normal(0, 2);
  char text[4096] = "";
  EXPECT_GT(read(reader, text, sizeof text - 1), 0);
  EXPECT_TRUE(has(text, "\"frame\":1,")) << text;
  close(reader);
  EXPECT_EQ(harness.push(2), GST_FLOW_ERROR);
  const auto failures = harness.failures();
  ASSERT_EQ(failures.size(), 1U);
  EXPECT_NE(failures[0].text.find("reader has gone"), std::string::npos) << failures[0].text;
  EXPECT_TRUE(std::filesystem::is_fifo(pipe));
}

// A reader that sleeps holds the stream, as any slow sink does, but no change of state.
TEST(JsonTest, ASleepingReaderDoesNotHoldTheStop) {
  const TemporaryFolder folder;
  const std::string pipe = folder.file("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const int reader = open(pipe.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ASSERT_GT(fcntl(reader, F_SETPIPE_SZ, 4096), 0);
  ElementHarness harness("mode=off json-location=" + pipe);
  std::atomic<int> pushed = 0;
  std::atomic<bool> stopped = false;
  std::thread stream([&] {
    for (int i = 0; !stopped && i < 100000; ++i) pushed = i, harness.push(i % 100);
  });
  for (int before = -1; before != pushed;) {  // until the pipe is full
    before = pushed;
    usleep(200000);
  }
  stopped = true;
  gst_element_set_state(harness.element(), GST_STATE_NULL);
  stream.join();
  close(reader);
}

// The file ends where it would grow beyond its size, and goes on as a new one; the one before it is kept.
TEST(JsonTest, RotatesBySize) {
  const TemporaryFolder folder;
  const std::string file = folder.file("scores.jsonl");
  ElementHarness harness("mode=off json-max-bytes=2000 json-location=" + file);
  harness.push_normal(0, 100);
  EXPECT_LE(std::filesystem::file_size(file), 2000U);
  EXPECT_LE(std::filesystem::file_size(file + ".1"), 2000U);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 2);
  auto lines = lines_of(file + ".1");
  const auto newer = lines_of(file);
  lines.insert(lines.end(), newer.begin(), newer.end());
  ASSERT_GT(lines.size(), 12U);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    EXPECT_TRUE(has(lines[i], "\"frame\":" + std::to_string(100 - lines.size() + i) + ",")) << lines[i];
  }
}

// A file that was moved or deleted is noticed with the next line; no line is lost, none comes twice, and what is in the
// file of that name by then stays.
TEST(JsonTest, FollowsItsNameWhenMovedOrDeleted) {
  const TemporaryFolder folder;
  const std::string file = folder.file("scores.jsonl");
  ElementHarness harness("mode=off json-location=" + file);
  harness.push_normal(0, 3);
  std::filesystem::rename(file, file + ".old");
  std::ofstream(file) << "{}\n";
  harness.push_normal(3, 2);
  EXPECT_EQ(lines_of(file + ".old").size(), 3U);
  ASSERT_EQ(lines_of(file).size(), 3U);
  EXPECT_EQ(lines_of(file)[0], "{}");
  EXPECT_TRUE(has(lines_of(file)[1], "\"frame\":3,"));

  std::filesystem::remove(file);
  harness.push_normal(6, 1);
  EXPECT_EQ(lines_of(file).size(), 1U);
  EXPECT_TRUE(harness.failures().empty());
}

// Running time and stream time are the segment's, not the timestamps themselves.
TEST(JsonTest, HasTheTimesOfTheSegment) {
  const TemporaryFolder folder;
  const std::string file = folder.file("scores.jsonl");
  ElementHarness harness("mode=off json-location=" + file);
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  segment.start = segment.position = 2 * GST_SECOND;
  segment.time = 7 * GST_SECOND;
  segment.base = 11 * GST_SECOND;
  gst_harness_push_event(harness.harness(), gst_event_new_segment(&segment));
  harness.push_normal(90, 1);  // at 3 s
  const auto lines = lines_of(file);
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_TRUE(has(lines[0], "\"pts_ns\":3000000000,")) << lines[0];
  EXPECT_TRUE(has(lines[0], "\"stream_time_ns\":8000000000,")) << lines[0];
  EXPECT_TRUE(has(lines[0], "\"running_time_ns\":12000000000,")) << lines[0];
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
