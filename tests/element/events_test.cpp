#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "element_harness.h"

namespace padim::test {
namespace {

/// Pushes one frame per letter, from frame `first` on: A is anomalous.
void push(ElementHarness& harness, const std::string& letters, int first = 0) {
  for (const char letter : letters) {
    ASSERT_TRUE(harness.run(first++, letter == 'A' ? Content::anomalous : Content::normal));
  }
}

/// The events on the bus as letters: B(egin) and E(nd).
std::string events(ElementHarness& harness) {
  std::string letters;
  for (const auto& message : harness.messages(GST_MESSAGE_ELEMENT)) {
    if (gst_message_has_name(message.get(), "padim-anomaly-begin")) letters += 'B';
    if (gst_message_has_name(message.get(), "padim-anomaly-end")) letters += 'E';
  }
  return letters;
}

constexpr std::uint64_t frame_time(std::uint64_t frame) { return frame * GST_SECOND / 30; }

// Stretches become events by min-anomalous-frames and event-gap; 100 ms are three frames.
TEST(EventsTest, FollowTheirRules) {
  struct Case {
    const char* frames;
    const char* settings;
    const char* expected;
  };
  const Case cases[] = {
      {"...", "", ""},
      {"..A..", "", "B"},
      {"..A..", "event-gap=0", "BE"},
      {"..A...", "event-gap=100000000", "BE"},
      {".A..A...", "event-gap=100000000", "BE"},
      {".A....A....", "event-gap=100000000", "BEBE"},
      {".A.A.A.", "min-anomalous-frames=2", ""},
      {".AA.AA.", "min-anomalous-frames=3", ""},
      {".AAA.A.", "min-anomalous-frames=3 event-gap=0", "BE"},
      {".AAA.A.", "post-messages=none event-gap=0", ""},
  };
  for (const Case& c : cases) {
    ElementHarness harness("overlay=0 model-file=" + fitted_model() + " " + c.settings);
    push(harness, c.frames);
    EXPECT_EQ(events(harness), c.expected) << c.frames << " " << c.settings;
  }
}

// Begin and end tell when, how much and for how long.
TEST(EventsTest, MessagesHaveTheirFields) {
  ElementHarness harness("overlay=0 min-anomalous-frames=2 event-gap=100000000 model-file=" + fitted_model());
  push(harness, "..AAA....");
  const auto messages = harness.messages(GST_MESSAGE_ELEMENT);
  ASSERT_EQ(messages.size(), 2U);
  const GstStructure* begin = gst_message_get_structure(messages[0].get());
  const GstStructure* end = gst_message_get_structure(messages[1].get());

  EXPECT_TRUE(gst_structure_has_name(begin, "padim-anomaly-begin"));
  EXPECT_GE(double_field(begin, "score").value(), 0.5);
  EXPECT_GT(double_field(begin, "raw-score").value(), 0);
  EXPECT_EQ(double_field(begin, "threshold"), 0.5);
  guint regions = 0;
  EXPECT_TRUE(gst_structure_get_uint(begin, "regions", &regions));
  EXPECT_GE(regions, 1U);
  EXPECT_EQ(uint64_field(begin, "begin-running-time"), frame_time(2));
  EXPECT_EQ(uint64_field(begin, "running-time"), frame_time(3));

  EXPECT_TRUE(gst_structure_has_name(end, "padim-anomaly-end"));
  EXPECT_GE(double_field(end, "peak-score").value(), double_field(begin, "score").value());
  EXPECT_EQ(uint64_field(end, "begin-running-time"), frame_time(2));
  EXPECT_EQ(uint64_field(end, "frames"), 3U);
  for (const char* name : {"timestamp", "stream-time", "running-time"}) {
    EXPECT_EQ(uint64_field(end, name), frame_time(4)) << name;
  }
  EXPECT_EQ(uint64_field(end, "duration"), GST_SECOND / 30);
}

// An event that is open does not stay open: the end of the stream, a flush, the stop and mode=off end it.
TEST(EventsTest, OpenEventsAreClosed) {
  ElementHarness harness("overlay=0 model-file=" + fitted_model());
  push(harness, ".AA");
  EXPECT_EQ(events(harness), "B");
  harness.flush();
  EXPECT_EQ(events(harness), "E");

  push(harness, "A");
  harness.set("mode", "off");
  push(harness, ".");
  EXPECT_EQ(events(harness), "BE");

  harness.set("mode", "detect");
  push(harness, "A");
  harness.send_eos();
  EXPECT_EQ(events(harness), "BE");

  harness.flush();
  push(harness, "A");
  EXPECT_EQ(events(harness), "B");
  gst_element_set_state(harness.element(), GST_STATE_READY);
  EXPECT_EQ(events(harness), "E");
}

// padim-score comes for every frame where it is asked for.
TEST(EventsTest, ScoresOfAllFramesOnRequest) {
  ElementHarness harness("overlay=0 post-messages=all model-file=" + fitted_model());
  push(harness, ".A.");
  const auto scores = harness.messages(GST_MESSAGE_ELEMENT, "padim-score");
  ASSERT_EQ(scores.size(), 3U);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const GstStructure* structure = gst_message_get_structure(scores[i].get());
    gboolean anomalous = FALSE;
    EXPECT_TRUE(gst_structure_get_boolean(structure, "anomalous", &anomalous));
    EXPECT_EQ(anomalous != FALSE, i == 1);
    EXPECT_EQ(anomalous != FALSE, double_field(structure, "score").value() >= 0.5);
    EXPECT_EQ(uint64_field(structure, "frame"), i);
    EXPECT_EQ(uint64_field(structure, "timestamp"), frame_time(i));
  }
}

// message-interval thins them by running time: at 30 frames a second, 100 ms is every third.
TEST(EventsTest, ScoresAtAnInterval) {
  ElementHarness harness("overlay=0 post-messages=all message-interval=100000000 model-file=" + fitted_model());
  push(harness, ".......");
  auto scores = harness.messages(GST_MESSAGE_ELEMENT, "padim-score");
  ASSERT_EQ(scores.size(), 3U);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    EXPECT_EQ(uint64_field(gst_message_get_structure(scores[i].get()), "frame"), 3 * i);
  }
  push(harness, "..", 0);  // time went back
  scores = harness.messages(GST_MESSAGE_ELEMENT, "padim-score");
  EXPECT_EQ(scores.size(), 1U);
}

// Every message tells when its frame is shown, in the stream's terms and in the pipeline's.
TEST(EventsTest, MessagesHaveTheTimesOfTheSegment) {
  ElementHarness harness("overlay=0 event-gap=0 post-messages=all model-file=" + fitted_model());
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  segment.start = segment.position = 2 * GST_SECOND;
  segment.time = 7 * GST_SECOND;
  segment.base = 11 * GST_SECOND;
  gst_harness_push_event(harness.harness(), gst_event_new_segment(&segment));
  push(harness, "A.", 90);
  const auto messages = harness.messages(GST_MESSAGE_ELEMENT);
  ASSERT_EQ(messages.size(), 4U);  // score, begin, score, end
  for (const std::size_t i : {0U, 1U, 3U}) {
    const GstStructure* structure = gst_message_get_structure(messages[i].get());
    EXPECT_EQ(uint64_field(structure, "timestamp"), 3 * GST_SECOND) << i;
    EXPECT_EQ(uint64_field(structure, "stream-time"), 8 * GST_SECOND) << i;
    EXPECT_EQ(uint64_field(structure, "running-time"), 12 * GST_SECOND) << i;
  }
}

// Frames without timestamps still make events.
TEST(EventsTest, WorkWithoutTimestamps) {
  ElementHarness harness("overlay=0 event-gap=100000000 model-file=" + fitted_model());
  int index = 0;
  for (const char letter : std::string(".AA.....")) {
    Owned<GstBuffer> buffer = render(harness.scene(), index++, letter == 'A' ? Content::anomalous : Content::normal);
    GST_BUFFER_PTS(buffer.get()) = GST_BUFFER_DTS(buffer.get()) = GST_CLOCK_TIME_NONE;
    ASSERT_TRUE(harness.run(std::move(buffer)));
  }
  EXPECT_EQ(events(harness), "BE");
}

}  // namespace
}  // namespace padim::test
