#include "gst-common/timeline.h"

#include <gtest/gtest.h>

#include <vector>

namespace padim::gst {
namespace {

constexpr GstClockTime kNone = GST_CLOCK_TIME_NONE;
constexpr GstClockTime kFrame = GST_SECOND / 25;
using Kind = TimeStep::Kind;

struct Placed {
  Kind kind;
  GstClockTimeDiff beyond;
  GstClockTime running_time;
};

Placed place(Timeline& timeline, GstClockTime running_time, GstClockTime duration = kNone, GstClockTime now = kNone) {
  FrameTimes times;
  times.running_time = running_time;
  times.duration = duration;
  const TimeStep step = timeline.place(times, now);
  return {step.kind, step.beyond, times.running_time};
}

Timeline at_25_frames() {
  Timeline timeline;
  timeline.set_frame_rate(25, 1);
  return timeline;
}

// Times that are known stay as they are, whatever they do; what they do has a name and a size.
TEST(TimelineTest, NamesWhatTimesDo) {
  struct Case {
    const char* what;
    GstClockTime from;
    GstClockTime to;
    Kind kind;
    GstClockTimeDiff beyond;
  };
  const auto ns = [](GstClockTime time) { return static_cast<GstClockTimeDiff>(time); };
  const Case cases[] = {
      {"a frame", GST_SECOND, GST_SECOND + kFrame, Kind::onward, 0},
      {"the same time again", GST_SECOND, GST_SECOND, Kind::onward, 0},
      {"jitter", GST_SECOND, GST_SECOND - 20 * GST_MSECOND, Kind::onward, 0},
      {"a frame back", GST_SECOND, GST_SECOND - kFrame, Kind::back, -ns(2 * kFrame)},
      {"to the start", 1000 * GST_SECOND, 0, Kind::back, -ns(1000 * GST_SECOND + kFrame)},
      {"lost frames", GST_SECOND, 11 * GST_SECOND, Kind::onward, 0},
      {"hours", GST_SECOND, 7200 * GST_SECOND + kFrame, Kind::pause, ns(7199 * GST_SECOND)},
      {"nonsense", 0, kNone - 1, Kind::pause, G_MAXINT64 / 4},
      {"back from nonsense", kNone / 2, 0, Kind::back, -(G_MAXINT64 / 4)},
  };
  for (const Case& c : cases) {
    Timeline timeline = at_25_frames();
    EXPECT_EQ(place(timeline, c.from).kind, Kind::onward) << c.what;
    const Placed placed = place(timeline, c.to);
    EXPECT_EQ(placed.running_time, c.to) << c.what;
    EXPECT_EQ(placed.kind, c.kind) << c.what;
    EXPECT_EQ(placed.beyond, c.beyond) << c.what;
  }
}

// Times that go back by less than jitter, again and again, go back.
TEST(TimelineTest, JitterDoesNotAddUp) {
  Timeline timeline = at_25_frames();
  EXPECT_EQ(place(timeline, GST_SECOND).kind, Kind::onward);
  EXPECT_EQ(place(timeline, GST_SECOND - 15 * GST_MSECOND).kind, Kind::onward);
  EXPECT_EQ(place(timeline, GST_SECOND - 30 * GST_MSECOND).kind, Kind::back);
  EXPECT_EQ(place(timeline, GST_SECOND - 20 * GST_MSECOND).kind, Kind::onward);
}

// Frames that come once in a minute make no pauses, whether that is in the caps, in the durations or seen.
TEST(TimelineTest, SlowFramesAreNoPauses) {
  for (const bool in_caps : {true, false}) {
    for (const GstClockTime duration : {kNone, GstClockTime{60} * GST_SECOND}) {
      Timeline timeline;
      if (in_caps) timeline.set_frame_rate(1, 60);
      for (GstClockTime i = 0; i < 4; ++i) {
        EXPECT_EQ(place(timeline, i * 60 * GST_SECOND, duration).kind, Kind::onward) << i;
      }
      EXPECT_EQ(place(timeline, 3600 * GST_SECOND, duration).kind, Kind::pause);
    }
  }
}

// Times that are unknown are counted: by durations, else by the frame rate, else by the clock.
TEST(TimelineTest, CountsWhatIsUnknown) {
  Timeline by_rate = at_25_frames();
  for (GstClockTime i = 0; i < 4; ++i) EXPECT_EQ(place(by_rate, kNone).running_time, i * kFrame);
  EXPECT_EQ(place(by_rate, GST_SECOND).running_time, GST_SECOND);
  EXPECT_EQ(place(by_rate, kNone).running_time, GST_SECOND + kFrame);

  Timeline by_duration = at_25_frames();
  for (GstClockTime i = 0; i < 4; ++i) EXPECT_EQ(place(by_duration, kNone, GST_SECOND).running_time, i * GST_SECOND);

  Timeline by_clock;
  by_clock.set_frame_rate(0, 1);
  EXPECT_EQ(place(by_clock, kNone, kNone, 5 * GST_SECOND).running_time, 5 * GST_SECOND);
  EXPECT_EQ(place(by_clock, kNone, kNone, 6 * GST_SECOND).running_time, 6 * GST_SECOND);
  EXPECT_EQ(place(by_clock, 100 * GST_SECOND, kNone, 7 * GST_SECOND).running_time, 100 * GST_SECOND);
  EXPECT_EQ(place(by_clock, kNone, kNone, 8 * GST_SECOND).running_time, 101 * GST_SECOND);
  EXPECT_EQ(place(by_clock, kNone, kNone, GST_SECOND).running_time, 101 * GST_SECOND) << "a clock that went back";

  Timeline by_nothing;
  EXPECT_EQ(place(by_nothing, kNone).running_time, kNone);
  EXPECT_EQ(place(by_nothing, kNone).kind, Kind::onward);
}

// A count that ran ahead of a timestamp is corrected by it; far ahead, it is another time.
TEST(TimelineTest, TimestampsCorrectTheCount) {
  Timeline timeline = at_25_frames();
  place(timeline, 0);
  for (int i = 0; i < 10; ++i) place(timeline, kNone);  // to 400 ms
  EXPECT_EQ(place(timeline, 300 * GST_MSECOND).kind, Kind::onward);
  EXPECT_EQ(place(timeline, kNone).running_time, 300 * GST_MSECOND + kFrame);
  for (int i = 0; i < 100; ++i) place(timeline, kNone);
  EXPECT_EQ(place(timeline, 400 * GST_MSECOND).kind, Kind::back);
}

// After a reset any time follows; the frame rate is still known.
TEST(TimelineTest, BeginsAnew) {
  Timeline timeline = at_25_frames();
  place(timeline, 1000 * GST_SECOND, GST_SECOND);
  timeline.reset();
  EXPECT_EQ(place(timeline, 0).kind, Kind::onward);
  EXPECT_EQ(place(timeline, kNone).running_time, kFrame);
}

}  // namespace
}  // namespace padim::gst
