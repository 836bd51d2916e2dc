#pragma once

#include <gst/check/gsttestclock.h>

namespace padim::test {

/// While it lives, GStreamer's default clock, which the element measures with and pipelines run by, stands still but
/// for what the test adds.
class TestClock {
 public:
  TestClock() { gst_system_clock_set_default(clock_); }
  ~TestClock() {
    gst_system_clock_set_default(nullptr);
    gst_object_unref(clock_);
  }
  TestClock(const TestClock&) = delete;
  TestClock& operator=(const TestClock&) = delete;

  void advance(GstClockTime time) { gst_test_clock_advance_time(GST_TEST_CLOCK(clock_), static_cast<gint64>(time)); }

  /// Where somebody waits for a time by now, or within a moment: makes it that time.
  void serve_next() {
    constexpr guint kMoment_ms = 20;
    if (gst_test_clock_timed_wait_for_multiple_pending_ids(GST_TEST_CLOCK(clock_), 1, kMoment_ms, nullptr)) {
      gst_test_clock_crank(GST_TEST_CLOCK(clock_));
    }
  }

 private:
  GstClock* clock_ = gst_test_clock_new_with_start_time(GST_SECOND);
};

}  // namespace padim::test
