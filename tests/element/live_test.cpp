#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <string>
#include <vector>

#include "backbone_hook.h"
#include "element_harness.h"
#include "gst/padim/gstpadimmeta.h"
#include "test_clock.h"

namespace padim::test {
namespace {

constexpr GstClockTime kFrame = GST_SECOND / 30;

std::string detecting(const std::string& properties = {}) {
  return "overlay=0 model-file=" + fitted_model() + " " + properties;
}

int count_qos_upstream(ElementHarness& harness) {
  int count = 0;
  while (GstEvent* event = gst_harness_try_pull_upstream_event(harness.harness())) {
    if (GST_EVENT_TYPE(event) == GST_EVENT_QOS) ++count;
    gst_event_unref(event);
  }
  return count;
}

struct ScoreMeta {
  bool present = false;
  bool reused = false;
  bool anomalous = false;
  std::uint64_t inference_pts = 0;
  double score = 0;
  double threshold = 0;
};

ScoreMeta meta_of(GstBuffer* buffer) {
  GstPadimMeta* meta = gst_buffer_get_padim_meta(buffer);
  if (meta == nullptr) return {};
  return {true,
          gst_padim_meta_is_reused(meta) != FALSE,
          gst_padim_meta_is_anomalous(meta) != FALSE,
          gst_padim_meta_get_inference_pts(meta),
          gst_padim_meta_get_score(meta),
          gst_padim_meta_get_threshold(meta)};
}

// What became of frames, one letter each: s scored, r carrying an earlier result, d dropped, - passed without result.
std::string fates(ElementHarness& harness, int first, int count) {
  std::string letters;
  for (int i = first; i < first + count; ++i) {
    const auto out = harness.run(i);
    const ScoreMeta meta = out ? meta_of(out.get()) : ScoreMeta{};
    letters += !out ? 'd' : !meta.present ? '-' : meta.reused ? 'r' : 's';
  }
  return letters;
}

struct LateCase {
  const char* name;
  const char* properties;
  const char* fates;  ///< of frames 1 to 5; 1 to 3 are late
  int upstream;       ///< QoS events that reach the elements in front
};

// Late frames are treated as the policy says, and the first punctual one is scored again.
TEST(LiveTest, LateFramesFollowThePolicy) {
  const LateCase cases[] = {
      {"reuse is the default", "", "rrrss", 1},
      {"block", "late-policy=block", "sssss", 0},
      {"drop", "late-policy=drop", "dddss", 1},
      {"between the frames of an interval", "inference-interval=2", "rrrsr", 1},
  };
  for (const LateCase& c : cases) {
    ElementHarness harness(detecting(c.properties));
    EXPECT_EQ(fates(harness, 0, 1), "s") << c.name;
    report_lateness(harness, 0, static_cast<GstClockTimeDiff>(3 * kFrame + kFrame / 2));
    EXPECT_EQ(fates(harness, 1, 5), c.fates) << c.name;
    EXPECT_EQ(count_qos_upstream(harness), c.upstream) << c.name;
  }
}

// A reused result says whose it is.
TEST(LiveTest, ReusedResultsNameTheirFrame) {
  ElementHarness harness(detecting());
  harness.push_normal(0, 4);
  const ScoreMeta scored = meta_of(harness.run(4, Content::anomalous).get());
  report_lateness(harness, 4 * kFrame, static_cast<GstClockTimeDiff>(2 * kFrame));
  const auto out = harness.run(5);
  const ScoreMeta reused = meta_of(out.get());
  EXPECT_TRUE(reused.reused);
  EXPECT_EQ(reused.inference_pts, GST_BUFFER_PTS(render(harness.scene(), 4).get()));
  EXPECT_EQ(scored.inference_pts, reused.inference_pts);
  EXPECT_EQ(reused.score, scored.score);
  EXPECT_TRUE(reused.anomalous);
  EXPECT_GT(gst_buffer_get_n_meta(out.get(), GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE), 0U);
}

// Dropped frames are announced as GStreamer's elements do, and the stream says that something is missing.
TEST(LiveTest, DroppedFramesAreAnnounced) {
  const TemporaryFolder folder;
  ElementHarness harness(detecting("late-policy=drop json-location=" + folder.file("drop.json")));
  ASSERT_EQ(fates(harness, 0, 1), "s");
  report_lateness(harness, 0, static_cast<GstClockTimeDiff>(2 * kFrame));
  ASSERT_EQ(fates(harness, 1, 1), "d");
  const auto messages = harness.messages(GST_MESSAGE_QOS);
  ASSERT_EQ(messages.size(), 1U);
  guint64 running_time = 0;
  GstFormat format = GST_FORMAT_UNDEFINED;
  guint64 processed = 0;
  guint64 dropped = 0;
  gst_message_parse_qos(messages[0].get(), nullptr, &running_time, nullptr, nullptr, nullptr);
  gst_message_parse_qos_stats(messages[0].get(), &format, &processed, &dropped);
  EXPECT_EQ(running_time, kFrame);
  EXPECT_EQ(format, GST_FORMAT_BUFFERS);
  EXPECT_EQ(processed, 1U);
  EXPECT_EQ(dropped, 1U);
  const auto next = harness.run(3);
  ASSERT_TRUE(next);
  EXPECT_TRUE(GST_BUFFER_FLAG_IS_SET(next.get(), GST_BUFFER_FLAG_DISCONT));

  std::ifstream lines(folder.file("drop.json"));
  std::string line;
  for (const char* state : {"detect", "drop", "detect"}) {
    ASSERT_TRUE(std::getline(lines, line));
    EXPECT_NE(line.find(std::string("\"state\":\"") + state), std::string::npos) << line;
  }
}

// Frames that are late for other reasons than the network's time go on being inspected, twice a second.
TEST(LiveTest, AlwaysLateIsStillInspected) {
  for (const char* policy : {"reuse", "drop"}) {
    ElementHarness harness(detecting(std::string("late-policy=") + policy));
    ASSERT_EQ(fates(harness, 0, 1), "s");
    report_lateness(harness, 0, GST_SECOND * 3600);
    const std::string letters = fates(harness, 1, 60);
    EXPECT_GE(std::count(letters.begin(), letters.end(), 's'), 3) << letters;
    EXPECT_LE(std::count(letters.begin(), letters.end(), 's'), 5) << letters;
  }
}

// A fit takes every frame, however late, whatever the policy, and keeps decoders in front from leaving frames out.
TEST(LiveTest, AFitLosesNoFrame) {
  for (const char* properties : {"", "late-policy=drop", "inference-interval=7", "qos=true"}) {
    ElementHarness harness(std::string("mode=fit-then-detect ") + properties);
    report_lateness(harness, 0, GST_SECOND * 3600);
    EXPECT_EQ(fates(harness, 0, 20), std::string(20, '-')) << properties;
    EXPECT_EQ(count_qos_upstream(harness), 0) << properties;
    harness.send_eos();
    const auto fitted = harness.messages(GST_MESSAGE_ELEMENT, "padim-fitted");
    ASSERT_EQ(fitted.size(), 1U);
    EXPECT_EQ(uint64_field(gst_message_get_structure(fitted[0].get()), "frames"), 20U);
  }
}

// One in inference-interval frames is seen by the network, from the next frame on when it changes.
TEST(LiveTest, InferenceIntervalSparesTheNetwork) {
  std::atomic<int> runs = 0;
  const BackboneHook hook([&] { ++runs; });
  ElementHarness harness(detecting("inference-interval=4"));
  runs = 0;
  EXPECT_EQ(fates(harness, 0, 9), "srrrsrrrs");
  EXPECT_EQ(runs, 3);
  harness.set("inference-interval", "1");
  EXPECT_EQ(fates(harness, 9, 3), "sss");
  harness.set("inference-interval", "2");
  EXPECT_EQ(fates(harness, 12, 4), "rsrs");
}

// The threshold decides about reused results, too.
TEST(LiveTest, ThresholdMovesUnderReusedResults) {
  ElementHarness harness(detecting("inference-interval=1000"));
  const ScoreMeta first = meta_of(harness.run(0, Content::anomalous).get());
  ASSERT_TRUE(first.anomalous);
  for (const auto& [threshold, anomalous] :
       {std::pair((1 + first.score) / 2, false), std::pair(0.5, true), std::pair(1.0, false)}) {
    g_object_set(harness.element(), "threshold", threshold, nullptr);
    const auto out = harness.run(1);
    const ScoreMeta meta = meta_of(out.get());
    EXPECT_TRUE(meta.reused);
    EXPECT_EQ(meta.score, first.score);
    EXPECT_EQ(meta.threshold, threshold);
    EXPECT_EQ(meta.anomalous, anomalous) << threshold;
    EXPECT_EQ(gst_buffer_get_n_meta(out.get(), GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE) > 0, anomalous);
  }
}

// A result does not outlive the scene that it was computed on.
TEST(LiveTest, FlushAndCapsEndTheReuse) {
  ElementHarness harness(detecting("inference-interval=1000"));
  EXPECT_EQ(fates(harness, 0, 3), "srr");
  harness.flush();
  EXPECT_EQ(fates(harness, 3, 2), "sr");
  Scene half = harness.scene();
  half.width /= 2;
  half.height /= 2;
  harness.set_scene(half);
  EXPECT_EQ(fates(harness, 5, 2), "sr");
  half.format = "NV12";
  harness.set_scene(half);
  EXPECT_EQ(fates(harness, 7, 2), "sr");
}

// What was late before a flush is not after it.
TEST(LiveTest, FlushForgetsLateness) {
  ElementHarness harness(detecting("late-policy=drop"));
  ASSERT_EQ(fates(harness, 0, 1), "s");
  report_lateness(harness, 0, GST_SECOND * 3600);
  ASSERT_EQ(fates(harness, 1, 1), "d");
  harness.flush();
  EXPECT_EQ(fates(harness, 2, 3), "sss");
}

// The network's time is part of the pipeline's latency: from the start on, which tries it, and as measured later.
TEST(LiveTest, LatencyIsTheProcessingTime) {
  TestClock clock;
  GstClockTime time = 30 * GST_MSECOND;
  const BackboneHook hook([&] { clock.advance(time); });
  ElementHarness harness(detecting());
  gst_harness_set_upstream_latency(harness.harness(), 100 * GST_MSECOND);
  const auto own = [&] { return gst_harness_query_latency(harness.harness()) - 100 * GST_MSECOND; };
  EXPECT_EQ(own(), 30 * GST_MSECOND);

  static_cast<void>(harness.messages(GST_MESSAGE_LATENCY));
  time = 60 * GST_MSECOND;
  harness.push_normal(0, 64);
  EXPECT_EQ(own(), 60 * GST_MSECOND);
  EXPECT_EQ(harness.messages(GST_MESSAGE_LATENCY).size(), 1U);

  harness.set("mode", "off");
  harness.push_normal(64, 1);
  EXPECT_EQ(own(), 0U);
  EXPECT_EQ(harness.messages(GST_MESSAGE_LATENCY).size(), 1U);
}

std::string repeated(const std::string& letters, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += letters;
  return all;
}

struct SlowCase {
  const char* policy;
  std::string fates;  ///< of the frames that come out
  int dropped;
};

// A live source, a network that takes two frames' time, a sink that watches the clock. Once the pipeline's latency is
// used up, every other frame is late: results are reused and no frame is lost; or each frame is scored, however late;
// or each that comes out is scored, and the others are accounted for.
TEST(LiveTest, SlowNetworksFollowThePolicy) {
  TestClock clock;
  const BackboneHook hook([&] { clock.advance(80 * GST_MSECOND); });
  for (const SlowCase& c : {SlowCase{"reuse", "ss" + repeated("sr", 19), 0}, SlowCase{"block", repeated("s", 40), 0},
                            SlowCase{"drop", repeated("s", 21), 19}}) {
    GError* error = nullptr;
    const Owned<GstElement> pipeline(gst_parse_launch(
        ("videotestsrc is-live=true num-buffers=40 ! video/x-raw,width=384,height=288,framerate=25/1 ! padimfilter " +
         detecting(std::string("late-policy=") + c.policy) +
         " ! fakesink name=sink sync=true qos=true signal-handoffs=true")
            .c_str(),
        &error));
    ASSERT_EQ(error, nullptr) << error->message;
    const Owned<GstElement> sink(gst_bin_get_by_name(GST_BIN(pipeline.get()), "sink"));
    std::string letters;
    const auto note = +[](GstElement*, GstBuffer* buffer, GstPad*, gpointer data) {
      *static_cast<std::string*>(data) += meta_of(buffer).reused ? 'r' : 's';
    };
    g_signal_connect(sink.get(), "handoff", G_CALLBACK(note), &letters);
    const Owned<GstBus> bus(gst_element_get_bus(pipeline.get()));
    gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
    int dropped = 0;
    GstMessageType type = GST_MESSAGE_UNKNOWN;
    while (type != GST_MESSAGE_EOS) {
      const Owned<GstMessage> message(gst_bus_pop_filtered(
          bus.get(), static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR | GST_MESSAGE_QOS)));
      if (!message) {
        clock.serve_next();
        continue;
      }
      type = GST_MESSAGE_TYPE(message.get());
      ASSERT_NE(type, GST_MESSAGE_ERROR) << c.policy;
      if (type == GST_MESSAGE_QOS && GST_MESSAGE_SRC(message.get()) != GST_OBJECT(sink.get())) ++dropped;
    }
    gst_element_set_state(pipeline.get(), GST_STATE_NULL);
    EXPECT_EQ(letters, c.fates) << c.policy;
    EXPECT_EQ(dropped, c.dropped) << c.policy;
  }
}

// The network has been tried before the first frame comes.
TEST(LiveTest, WarmsUpBeforeTheFirstFrame) {
  std::atomic<int> runs = 0;
  const BackboneHook hook([&] { ++runs; });
  const ElementHarness harness(detecting());
  EXPECT_GE(runs, 1);
}

GstSegment segment_of(GstClockTime start, GstClockTime time, GstClockTime base, double rate = 1) {
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  segment.start = segment.position = start;
  segment.time = time;
  segment.base = base;
  segment.rate = rate;
  return segment;
}

// Frames of a new segment are worked on like those before, in every mode; times follow the segment.
TEST(LiveTest, SegmentsChangeInEveryMode) {
  for (const std::string& properties :
       {detecting("post-messages=all"), std::string("mode=fit-then-detect"), std::string("mode=off")}) {
    ElementHarness harness(properties);
    harness.push_normal(0, 10);
    const GstSegment segment = segment_of(GST_SECOND, 50 * GST_SECOND, 7 * GST_SECOND);
    EXPECT_TRUE(gst_harness_push_event(harness.harness(), gst_event_new_segment(&segment)));
    harness.push_normal(30, 10);
    EXPECT_EQ(gst_harness_buffers_received(harness.harness()), 20U) << properties;
    harness.send_eos();
    if (properties == "mode=off") continue;
    const bool fit = properties == "mode=fit-then-detect";
    const auto messages = harness.messages(GST_MESSAGE_ELEMENT, fit ? "padim-fitted" : "padim-score");
    ASSERT_EQ(messages.size(), fit ? 1U : 20U);
    const GstStructure* last = gst_message_get_structure(messages.back().get());
    EXPECT_EQ(uint64_field(last, "timestamp"), GST_SECOND + 9 * GST_SECOND / 30);
    EXPECT_EQ(uint64_field(last, "stream-time"), 50 * GST_SECOND + 9 * GST_SECOND / 30);
    EXPECT_EQ(uint64_field(last, "running-time"), 7 * GST_SECOND + 9 * GST_SECOND / 30);
    EXPECT_TRUE(harness.failures().empty());
  }
}

// A seek in a pipeline: in every mode the frames of the new segment come out, all of them and no other.
TEST(LiveTest, SeeksInEveryMode) {
  for (const std::string& properties : {detecting(), std::string("mode=fit-then-detect"), std::string("mode=off")}) {
    GError* error = nullptr;
    const Owned<GstElement> pipeline(
        gst_parse_launch(("videotestsrc ! video/x-raw,width=384,height=288,framerate=30/1 ! padimfilter " + properties +
                          " ! fakesink name=sink signal-handoffs=true")
                             .c_str(),
                         &error));
    ASSERT_EQ(error, nullptr) << error->message;
    const Owned<GstElement> sink(gst_bin_get_by_name(GST_BIN(pipeline.get()), "sink"));
    std::vector<GstClockTime> times;
    const auto note = +[](GstElement*, GstBuffer* buffer, GstPad*, gpointer data) {
      static_cast<std::vector<GstClockTime>*>(data)->push_back(GST_BUFFER_PTS(buffer));
    };
    g_signal_connect(sink.get(), "handoff", G_CALLBACK(note), &times);
    const Owned<GstBus> bus(gst_element_get_bus(pipeline.get()));
    gst_element_set_state(pipeline.get(), GST_STATE_PAUSED);
    ASSERT_EQ(gst_element_get_state(pipeline.get(), nullptr, nullptr, 20 * GST_SECOND), GST_STATE_CHANGE_SUCCESS);
    EXPECT_TRUE(gst_element_seek(pipeline.get(), 1, GST_FORMAT_TIME, GST_SEEK_FLAG_FLUSH, GST_SEEK_TYPE_SET, GST_SECOND,
                                 GST_SEEK_TYPE_SET, 2 * GST_SECOND));
    gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
    const Owned<GstMessage> end(gst_bus_timed_pop_filtered(
        bus.get(), 20 * GST_SECOND, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
    gst_element_set_state(pipeline.get(), GST_STATE_NULL);
    ASSERT_TRUE(end) << properties;
    EXPECT_EQ(GST_MESSAGE_TYPE(end.get()), GST_MESSAGE_EOS) << properties;
    ASSERT_EQ(times.size(), 30U) << properties;
    EXPECT_EQ(times.front(), GST_SECOND);
    EXPECT_EQ(times.back(), gst_util_uint64_scale(59, GST_SECOND, 30));
  }
}

}  // namespace
}  // namespace padim::test
