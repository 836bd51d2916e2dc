#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "element_harness.h"
#include "gst/padim/gstpadimmeta.h"

namespace padim::test {
namespace {

constexpr GstClockTime kNone = GST_CLOCK_TIME_NONE;
constexpr GstClockTime kHour = 3600 * GST_SECOND;
constexpr GstClockTime frame_time(std::uint64_t frame) { return frame * GST_SECOND / 30; }

std::string detecting(const std::string& properties = {}) {
  return "overlay=0 model-file=" + fitted_model() + " " + properties;
}

/// Frames that come at times of the test's choice.
class Stream {
 public:
  explicit Stream(const std::string& properties = {}, const std::string& framerate = "30/1")
      : harness_(detecting(properties), {.framerate = framerate}) {}

  [[nodiscard]] ElementHarness& harness() { return harness_; }

  /// One frame: A is anomalous, 0 is black. Returns what became of it: s(cored), r(eused) or d(ropped).
  char push(char letter, GstClockTime pts, GstClockTime duration = kNone) {
    Owned<GstBuffer> buffer = render(harness_.scene(), index_++, letter == 'A' ? Content::anomalous : Content::normal);
    if (letter == '0') gst_buffer_memset(buffer.get(), 0, 0, gst_buffer_get_size(buffer.get()));
    GST_BUFFER_PTS(buffer.get()) = GST_BUFFER_DTS(buffer.get()) = pts;
    GST_BUFFER_DURATION(buffer.get()) = duration;
    GST_BUFFER_OFFSET(buffer.get()) = 1000 + static_cast<guint64>(index_);
    const Owned<GstBuffer> out = harness_.run(std::move(buffer));
    if (!out) return 'd';
    GstPadimMeta* meta = gst_buffer_get_padim_meta(out.get());
    return meta != nullptr && gst_padim_meta_is_reused(meta) ? 'r' : 's';
  }

  /// One frame per letter, from `first` on at 30 frames a second.
  std::string push(const std::string& letters, GstClockTime first) {
    std::string fates;
    for (std::size_t i = 0; i < letters.size(); ++i) fates += push(letters[i], first + frame_time(i));
    return fates;
  }

  std::string push_untimed(const std::string& letters) {
    std::string fates;
    for (const char letter : letters) fates += push(letter, kNone);
    return fates;
  }

  /// What was posted since: the messages with these names.
  std::vector<Owned<GstMessage>> messages(const std::string& names) {
    std::vector<Owned<GstMessage>> found;
    for (auto& message : harness_.messages(GST_MESSAGE_ELEMENT)) {
      if (names.find(name_of(message.get())) != std::string::npos) found.push_back(std::move(message));
    }
    return found;
  }

  /// The anomalies begun and ended since, as letters B and E.
  std::string events() {
    std::string letters;
    for (const auto& message : messages("padim-anomaly-begin padim-anomaly-end")) {
      letters += gst_message_has_name(message.get(), "padim-anomaly-begin") ? 'B' : 'E';
    }
    return letters;
  }

  static std::string name_of(GstMessage* message) { return gst_structure_get_name(gst_message_get_structure(message)); }

 private:
  ElementHarness harness_;
  int index_ = 0;
};

std::uint64_t field(const Owned<GstMessage>& message, const char* name) {
  const auto value = uint64_field(gst_message_get_structure(message.get()), name);
  EXPECT_TRUE(value) << name;
  return value.value_or(kNone);
}

std::string text_field(const Owned<GstMessage>& message, const char* name) {
  const gchar* text = gst_structure_get_string(gst_message_get_structure(message.get()), name);
  return text == nullptr ? "" : text;
}

std::vector<nlohmann::json> records_in(const std::string& file) {
  std::vector<nlohmann::json> records;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) records.push_back(nlohmann::json::parse(line));
  return records;
}

// An anomaly that is open when the time jumps back gets its end, with the time of its last frame; what is anomalous
// after the jump is an anomaly of its own, and ends in time.
TEST(TimeTest, AJumpBackEndsAnAnomaly) {
  Stream stream("event-gap=100000000");
  stream.push("..AA", 1000 * GST_SECOND);
  stream.push("A....", 0);
  const auto said = stream.messages("padim-anomaly-begin padim-anomaly-end");
  ASSERT_EQ(said.size(), 4U);
  EXPECT_EQ(field(said[1], "running-time"), 1000 * GST_SECOND + frame_time(3));
  EXPECT_EQ(field(said[1], "frames"), 2U);
  EXPECT_EQ(field(said[2], "begin-running-time"), 0U);
  EXPECT_EQ(field(said[3], "running-time"), 0U);
  EXPECT_EQ(field(said[3], "frames"), 1U);
}

// Anomalous frames before a jump do not count with those after it.
TEST(TimeTest, AJumpBackBeginsToCountAnew) {
  Stream stream("min-anomalous-frames=3");
  stream.push(".AA", 1000 * GST_SECOND);
  stream.push("A.", 0);
  EXPECT_EQ(stream.events(), "");
}

// Capture times that jitter break nothing.
TEST(TimeTest, JitterIsNoJump) {
  Stream stream("inference-interval=1000");
  EXPECT_EQ(stream.push('A', GST_SECOND), 's');
  EXPECT_EQ(stream.push('A', GST_SECOND - 15 * GST_MSECOND), 'r');
  EXPECT_EQ(stream.events(), "B");
}

// No result is carried across a jump, back or forward.
TEST(TimeTest, NoResultIsReusedAcrossAJump) {
  Stream stream("inference-interval=1000");
  EXPECT_EQ(stream.push("...", 1000 * GST_SECOND), "srr");
  EXPECT_EQ(stream.push("...", 0), "srr");
  EXPECT_EQ(stream.push("...", 5 * kHour), "srr");
}

// A sink that waits for the old times calls every frame late by the jump: that is not the network's time, and no frame
// is left unseen for it. What comes on top of it is, and no late word of a frame from before counts.
TEST(TimeTest, FramesAreNotLateByTheJump) {
  for (const char* policy : {"reuse", "drop"}) {
    Stream stream(std::string("late-policy=") + policy);
    ElementHarness& harness = stream.harness();
    stream.push("...", 1000 * GST_SECOND);
    EXPECT_EQ(stream.push("..", 0), "ss") << policy;
    report_lateness(harness, 1000 * GST_SECOND, 0);
    EXPECT_EQ(stream.push("..", frame_time(2)), "ss") << policy;
    report_lateness(harness, frame_time(2) + frame_time(1), 1000 * GST_SECOND);
    EXPECT_EQ(stream.push("..", frame_time(4)), "ss") << policy;
    report_lateness(harness, frame_time(4) + frame_time(1), 1000 * GST_SECOND + 100 * GST_MSECOND);
    EXPECT_EQ(stream.push("...", frame_time(6)), policy[0] == 'r' ? "rrs" : "dds") << policy;
  }
}

// Elements in front hear of the lateness without the jump: decoders would leave out every frame.
TEST(TimeTest, TheJumpIsNotReportedUpstream) {
  Stream stream("");
  stream.push("...", 1000 * GST_SECOND);
  stream.push("..", 0);
  const auto heard = [&](GstClockTimeDiff late_by) {
    report_lateness(stream.harness(), frame_time(1), late_by);
    GstClockTimeDiff diff = -1;
    while (GstEvent* event = gst_harness_try_pull_upstream_event(stream.harness().harness())) {
      if (GST_EVENT_TYPE(event) == GST_EVENT_QOS) gst_event_parse_qos(event, nullptr, nullptr, &diff, nullptr);
      gst_event_unref(event);
    }
    return diff;
  };
  EXPECT_EQ(heard(999 * GST_SECOND), 0);
  EXPECT_EQ(heard(1000 * GST_SECOND), GST_SECOND);
  EXPECT_EQ(heard(0), 0);  // the sink shows them in time again
  EXPECT_EQ(heard(GST_SECOND), GST_SECOND);
}

// A time that leaps ahead and comes back leaves no allowance behind: what is late then is late.
TEST(TimeTest, AGlitchForgivesNoLateness) {
  Stream stream("late-policy=drop");
  stream.push("...", 0);
  EXPECT_EQ(stream.push('.', kHour), 's');
  EXPECT_EQ(stream.push('.', frame_time(4)), 's');
  report_lateness(stream.harness(), frame_time(4), 0);
  report_lateness(stream.harness(), frame_time(4), static_cast<GstClockTimeDiff>(frame_time(2)) + 1);
  EXPECT_EQ(stream.push("...", frame_time(5)), "dds");
}

// A scene that has changed ends with the jump and is found anew, with the new times; so is a picture that is frozen.
TEST(TimeTest, AJumpBackEndsAChangedScene) {
  Stream stream("");
  stream.push("..000", 1000 * GST_SECOND);
  stream.push("000", 0);
  const auto said = stream.messages("padim-scene-changed-begin padim-scene-changed-end");
  ASSERT_EQ(said.size(), 3U);
  EXPECT_EQ(Stream::name_of(said[1].get()), "padim-scene-changed-end");
  EXPECT_EQ(field(said[1], "end-running-time"), 1000 * GST_SECOND + frame_time(4));
  EXPECT_EQ(field(said[2], "begin-running-time"), 0U);

  const auto push_same = [&](GstClockTime pts) {
    Owned<GstBuffer> buffer = render(stream.harness().scene(), 7);
    GST_BUFFER_PTS(buffer.get()) = pts;
    stream.harness().run(std::move(buffer));
  };
  for (std::uint64_t i = 0; i < 40; ++i) push_same(500 * GST_SECOND + frame_time(i));
  for (std::uint64_t i = 5; i < 10; ++i) push_same(frame_time(i));
  const auto frozen = stream.messages("padim-scene-changed-begin");
  ASSERT_EQ(frozen.size(), 2U);
  EXPECT_EQ(text_field(frozen[1], "cause"), "frozen");
  EXPECT_EQ(field(frozen[1], "begin-running-time"), frame_time(5));
}

// What the operator shows is counted in frames: a jump takes nothing of it.
TEST(TimeTest, LearningGoesOnAcrossAJump) {
  Stream stream("");
  stream.push(".", 1000 * GST_SECOND);
  gboolean accepted = FALSE;
  g_signal_emit_by_name(stream.harness().element(), "learn", 24U, &accepted);
  ASSERT_TRUE(accepted);
  stream.push(std::string(12, '.'), 1001 * GST_SECOND);
  stream.push(std::string(12, '.'), 0);
  std::vector<Owned<GstMessage>> learned;
  EXPECT_TRUE(step_until([&](int i) {
    stream.push('.', frame_time(12 + static_cast<std::uint64_t>(i)));
    learned = stream.messages("padim-learned");
    return !learned.empty();
  }));
  ASSERT_EQ(learned.size(), 1U);
  EXPECT_EQ(field(learned[0], "frames-shown"), 24U);
}

// A fit does not mind what times do, nor whether there are any.
TEST(TimeTest, AFitTakesEveryFrame) {
  ElementHarness harness("mode=fit-then-detect");
  const GstClockTime times[] = {1000 * GST_SECOND, 0, kNone, 5 * kHour, kNone, GST_SECOND};
  for (int i = 0; i < 24; ++i) {
    Owned<GstBuffer> buffer = render(harness.scene(), i);
    GST_BUFFER_PTS(buffer.get()) = times[i % 6];
    EXPECT_EQ(harness.push(std::move(buffer)), GST_FLOW_OK);
  }
  harness.send_eos();
  const auto fitted = harness.messages(GST_MESSAGE_ELEMENT, "padim-fitted");
  ASSERT_EQ(fitted.size(), 1U);
  EXPECT_EQ(field(fitted[0], "frames-seen"), 24U);
}

// Frames without timestamps and durations are timed by the caps' frame rate: anomalies begin and end, again and again,
// and their running times are those that timestamps would have made.
TEST(TimeTest, FramesWithoutTimesAreTimedByTheFrameRate) {
  const TemporaryFolder folder;
  Stream stream("event-gap=100000000 json-location=" + folder.file("untimed.jsonl"));
  stream.push_untimed("..A....A....");
  const auto said = stream.messages("padim-anomaly-begin padim-anomaly-end");
  ASSERT_EQ(said.size(), 4U);
  EXPECT_NEAR(static_cast<double>(field(said[2], "running-time")), static_cast<double>(frame_time(7)), 10);
  EXPECT_EQ(field(said[2], "timestamp"), kNone);
  const auto records = records_in(folder.file("untimed.jsonl"));
  ASSERT_EQ(records.size(), 12U);
  EXPECT_FALSE(records[7].contains("pts_ns"));
  EXPECT_EQ(records[7]["running_time_ns"], field(said[2], "running-time"));
}

// They count on from the last time that is known, and a timestamp alone is enough.
TEST(TimeTest, TimesCountOnFromTheLastKnownOne) {
  Stream stream("event-gap=100000000");
  stream.push(".", 50 * GST_SECOND);
  stream.push_untimed("A....");
  stream.push(".A....", 51 * GST_SECOND);
  const auto said = stream.messages("padim-anomaly-begin padim-anomaly-end");
  ASSERT_EQ(said.size(), 4U);
  EXPECT_NEAR(static_cast<double>(field(said[0], "running-time")), static_cast<double>(50 * GST_SECOND + frame_time(1)),
              10);
  EXPECT_EQ(field(said[2], "running-time"), 51 * GST_SECOND + frame_time(1));
}

// Without a frame rate the pipeline's clock times them.
TEST(TimeTest, FramesWithoutAnythingAreTimedByTheClock) {
  Stream stream("event-gap=250000000", "0/1");
  GstClockTime time = GST_SECOND;
  const auto push_after = [&](GstClockTime wait, char letter) {
    gst_harness_set_time(stream.harness().harness(), time += wait);
    stream.push(letter, kNone);
  };
  for (const char letter : std::string(".A...A.A...")) push_after(100 * GST_MSECOND, letter);
  const auto said = stream.messages("padim-anomaly-begin padim-anomaly-end");
  ASSERT_EQ(said.size(), 4U);
  EXPECT_EQ(field(said[0], "running-time"), GST_SECOND + 200 * GST_MSECOND);
  EXPECT_EQ(field(said[2], "running-time"), GST_SECOND + 600 * GST_MSECOND);
  EXPECT_EQ(field(said[3], "running-time"), GST_SECOND + 800 * GST_MSECOND);
  push_after(5 * kHour, 'A');
  push_after(5 * kHour, 'A');
  EXPECT_EQ(stream.events(), "BEB");
}

// After a pause of hours an anomaly of before is over, and one that is there then is reported anew; frames that are
// slow by themselves, or whose gap is longer, make one.
TEST(TimeTest, APauseEndsAnAnomaly) {
  Stream stream("event-gap=100000000");
  stream.push(".AA", 0);
  stream.push("A.", 3 * kHour);
  EXPECT_EQ(stream.events(), "BEB");
  stream.push(".", 6 * kHour);
  EXPECT_EQ(stream.events(), "E");

  Stream patient("event-gap=36000000000000");
  patient.push(".AA", 0);
  patient.push("A.", 3 * kHour);
  EXPECT_EQ(patient.events(), "B");

  Stream slow("event-gap=100000000", "1/60");
  for (std::uint64_t i = 0; i < 4; ++i) slow.push('A', i * 60 * GST_SECOND);
  EXPECT_EQ(slow.events(), "B");
}

// An anomaly lasts as long as its gap says, up to for ever.
TEST(TimeTest, TheLongestGapNeverEnds) {
  Stream stream("event-gap=9223372036854775807");
  stream.push(".A...", 1000 * GST_SECOND);
  EXPECT_EQ(stream.events(), "B");
}

// RTP's counter of 32 bits at 90 kHz wraps after 13 hours, in the middle of an anomaly: nothing is lost, nothing waits.
TEST(TimeTest, ACounterThatWrapsLosesNothing) {
  Stream stream("event-gap=100000000 late-policy=drop");
  report_lateness(stream.harness(), 0, 0);
  std::uint32_t counter = static_cast<std::uint32_t>(-3000 * 5);
  std::string fates;
  for (const char letter : std::string("...AAAA....A....")) {
    const GstClockTime pts = gst_util_uint64_scale(counter, GST_SECOND, 90000);
    fates += stream.push(letter, pts, GST_SECOND / 30);
    counter += 3000;
  }
  EXPECT_EQ(fates, std::string(16, 's'));
  EXPECT_EQ(stream.events(), "BEBEBE");
}

bool is_rfc3339(const std::string& text) {
  return text.size() == 24 && text[10] == 'T' && text[19] == '.' && text[23] == 'Z';
}

// As in messages; the texts have a fixed form, so that they compare as the times do.
std::string now() {
  GDateTime* time = g_date_time_new_now_utc();
  gchar* text = g_date_time_format(time, "%Y-%m-%dT%H:%M:%S");
  std::string result =
      std::string(text) + "." + std::to_string(1000 + g_date_time_get_microsecond(time) / 1000).substr(1);
  g_free(text);
  g_date_time_unref(time);
  return result + "Z";
}

/// Checks what messages say of when and where, and returns their names.
std::vector<std::string> checked_names(const std::vector<Owned<GstMessage>>& messages, const std::string& json_file,
                                       const std::string& begin) {
  const auto records = records_in(json_file);
  std::vector<std::string> names;
  for (const auto& message : messages) {
    const std::string& name = names.emplace_back(Stream::name_of(message.get()));
    EXPECT_EQ(text_field(message, "source"), "inspector") << name;
    const std::string time = text_field(message, "wall-clock");
    EXPECT_TRUE(is_rfc3339(time)) << time;
    EXPECT_TRUE(begin <= time && time <= now()) << time;
    const auto frame = uint64_field(gst_message_get_structure(message.get()), "frame");
    EXPECT_EQ(frame.has_value(), name != "padim-reloaded") << name;
    if (!frame) continue;
    EXPECT_EQ(records.at(*frame)["wall_clock"], time) << name;
    EXPECT_EQ(records.at(*frame)["source"], "inspector") << name;
  }
  return names;
}

// Every message says by the clock on the wall when its frame came, of which element and, but for the reload, which
// frame; JSON lines say the same of the same frame.
TEST(TimeTest, MessagesAndRecordsSayWhen) {
  const TemporaryFolder folder;
  const std::string file = folder.file("said.jsonl");
  const std::string begin = now();
  std::vector<std::string> names;
  ElementHarness fit("mode=fit overlay=0 model-file=" + folder.file("model.padim") + " json-location=" + file);
  fit.push_normal(0, 24);
  fit.send_eos();
  for (const auto& name : checked_names(fit.messages(GST_MESSAGE_ELEMENT), file, begin)) names.push_back(name);
  std::filesystem::remove(file);

  Stream stream("event-gap=0 post-messages=all model-file=" + folder.file("model.padim") + " json-location=" + file);
  stream.push("..A.000.", 0);
  ElementHarness& harness = stream.harness();
  g_object_set(harness.element(), "adapt-half-life", 8U, nullptr);
  gboolean accepted = FALSE;
  g_signal_emit_by_name(harness.element(), "learn", 2U, &accepted);
  ASSERT_TRUE(accepted);
  std::size_t frames = 8;
  const auto hear = [&](const char* name) {
    return step_until([&](int) {
      stream.push('.', frame_time(frames++));
      const auto heard = checked_names(harness.messages(GST_MESSAGE_ELEMENT), file, begin);
      names.insert(names.end(), heard.begin(), heard.end());
      return std::find(heard.begin(), heard.end(), name) != heard.end();
    });
  };
  EXPECT_TRUE(hear("padim-learned"));
  EXPECT_TRUE(hear("padim-adapted"));
  g_object_set(harness.element(), "adapt-half-life", 0U, nullptr);
  emit(harness.element(), "reload-model");
  EXPECT_TRUE(hear("padim-reloaded"));
  for (const char* name : {"padim-finishing", "padim-fitted", "padim-score", "padim-anomaly-begin", "padim-anomaly-end",
                           "padim-scene-changed-begin", "padim-scene-changed-end"}) {
    EXPECT_NE(std::find(names.begin(), names.end(), name), names.end()) << name;
  }
}

// The beginning of an anomaly names its frame, which has not left the element by then.
TEST(TimeTest, TheFrameOfAnAlarmFollowsIt) {
  Stream stream("");
  const GstElement* element = stream.harness().element();
  GstBus* bus = gst_element_get_bus(const_cast<GstElement*>(element));
  struct Heard {
    GstHarness* harness;
    guint handed_on = 0;
  } heard{stream.harness().harness()};
  const auto listen = +[](GstBus*, GstMessage* message, gpointer data) {
    auto* noted = static_cast<Heard*>(data);
    if (gst_message_has_name(message, "padim-anomaly-begin")) {
      noted->handed_on = gst_harness_buffers_received(noted->harness);
    }
    return GST_BUS_PASS;
  };
  gst_bus_set_sync_handler(bus, listen, &heard, nullptr);
  stream.push("..AA", GST_SECOND);
  gst_bus_set_sync_handler(bus, nullptr, nullptr, nullptr);
  gst_object_unref(bus);
  EXPECT_EQ(heard.handed_on, 2U);
  const auto begun = stream.messages("padim-anomaly-begin");
  ASSERT_EQ(begun.size(), 1U);
  gboolean follows = FALSE;
  EXPECT_TRUE(gst_structure_get_boolean(gst_message_get_structure(begun[0].get()), "frame-follows", &follows));
  EXPECT_TRUE(follows);
  EXPECT_EQ(field(begun[0], "frame"), 2U);
  EXPECT_EQ(field(begun[0], "offset"), 1003U);
  EXPECT_EQ(field(begun[0], "timestamp"), GST_SECOND + frame_time(2));
}

}  // namespace
}  // namespace padim::test
