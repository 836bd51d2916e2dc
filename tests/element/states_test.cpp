#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <string>
#include <thread>

#include "element_harness.h"

namespace padim::test {
namespace {

// Up and down again, in every mode, without a message of failure.
TEST(StatesTest, UpAndDownTwentyTimes) {
  for (const std::string& mode :
       {"model-file=" + fitted_model(), std::string("mode=fit-then-detect"), std::string("mode=off")}) {
    ElementHarness harness(mode);
    const Owned<GstBus> bus(gst_element_get_bus(harness.element()));
    gst_element_set_state(harness.element(), GST_STATE_NULL);
    for (int i = 0; i < 20; ++i) {
      for (const GstState state :
           {GST_STATE_READY, GST_STATE_PAUSED, GST_STATE_PLAYING, GST_STATE_PAUSED, GST_STATE_READY, GST_STATE_NULL}) {
        gst_bus_set_flushing(bus.get(), FALSE);
        ASSERT_EQ(gst_element_set_state(harness.element(), state), GST_STATE_CHANGE_SUCCESS) << mode;
      }
    }
    EXPECT_TRUE(harness.failures().empty()) << mode;
  }
}

std::size_t resident_bytes() {
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages >> pages;
  return pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

// A hundred starts and stops with frames in between leave nothing behind: the heap may breathe by 2 MB, a model here
// has 0.1 MB, its working memory more.
TEST(StatesTest, UpAndDownAHundredTimesWithoutGrowth) {
  for (const std::string& mode :
       {"model-file=" + fitted_model(), std::string("mode=fit-then-detect fit-frames=4"), std::string("mode=off")}) {
    ElementHarness harness(mode);
    const auto cycle = [&](int times) {
      for (int i = 0; i < times; ++i) {
        ASSERT_EQ(gst_element_set_state(harness.element(), GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
        ASSERT_EQ(gst_element_set_state(harness.element(), GST_STATE_PLAYING), GST_STATE_CHANGE_SUCCESS);
        harness.set_scene(harness.scene());
        harness.push_normal(0, 6);
        harness.drain();
        static_cast<void>(harness.failures());
      }
    };
    cycle(20);
    const std::size_t before = resident_bytes();
    cycle(100);
    EXPECT_LT(resident_bytes(), before + (std::size_t{2} << 20)) << mode;
  }
}

// A pipeline runs to its end again and again: nothing of the last run is left.
TEST(StatesTest, PipelineRunsRepeatedly) {
  GError* error = nullptr;
  const Owned<GstElement> pipeline(gst_parse_launch(
      "videotestsrc num-buffers=12 ! video/x-raw,width=160,height=128 ! padimfilter mode=fit-then-detect fit-frames=8 "
      "overlay=0 ! fakesink",
      &error));
  ASSERT_EQ(error, nullptr) << error->message;
  const Owned<GstBus> bus(gst_element_get_bus(pipeline.get()));
  for (int i = 0; i < 5; ++i) {
    gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
    int fitted = 0;
    while (true) {
      const Owned<GstMessage> message(gst_bus_timed_pop(bus.get(), 20 * GST_SECOND));
      ASSERT_TRUE(message);
      if (gst_message_has_name(message.get(), "padim-fitted")) ++fitted;
      ASSERT_NE(GST_MESSAGE_TYPE(message.get()), GST_MESSAGE_ERROR);
      if (GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_EOS) break;
    }
    EXPECT_EQ(fitted, 1);
    gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  }
}

// Two threads turn every knob while a thousand frames flow; no frame is lost.
TEST(StatesTest, PropertiesChangeFromTwoThreads) {
  Scene scene;
  scene.width = 160;
  scene.height = 128;
  ElementHarness harness("mode=fit-then-detect fit-frames=16 input-size=160x128", scene);
  harness.push_normal(0, 16);
  std::atomic<bool> stop = false;
  const auto turn = [&](int start) {
    for (int i = start; !stop; ++i) {
      g_object_set(harness.element(), "threshold", (i % 10) / 10.0, "overlay", static_cast<guint>(i) % 16,
                   "overlay-opacity", (i % 7) / 7.0, "overlay-floor", (i % 5) / 5.0, "attach-meta",
                   static_cast<guint>(i) % 16, "colormap", i % 4, "post-messages", i % 3, "min-anomalous-frames",
                   static_cast<guint>(1 + i % 3), "event-gap", static_cast<guint64>(i) * 1000, "model-file",
                   i % 2 == 0 ? "a.padim" : nullptr, nullptr);
      gchar* info = nullptr;
      double score = 0;
      g_object_get(harness.element(), "last-score", &score, "model-info", &info, nullptr);
      g_free(info);
    }
  };
  std::thread first(turn, 0);
  std::thread second(turn, 1);
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(harness.run(i, i % 4 == 0 ? Content::anomalous : Content::normal));
  }
  stop = true;
  first.join();
  second.join();
  EXPECT_TRUE(harness.failures().empty());
}

// States change under a stream that never stops; nothing crashes, hangs or reports a failure.
TEST(StatesTest, StateChangesUnderTheStream) {
  Scene scene;
  scene.width = 160;
  scene.height = 128;
  ElementHarness harness("mode=fit-then-detect fit-frames=6 input-size=160x128", scene);
  std::atomic<bool> stop = false;
  std::thread stream([&] {
    for (int i = 0; !stop; ++i) {
      harness.push(i, Content::normal);
      harness.drain();
    }
  });
  for (int i = 0; i < 60; ++i) {
    gst_element_set_state(harness.element(), i % 2 == 0 ? GST_STATE_READY : GST_STATE_PLAYING);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  stop = true;
  stream.join();
  EXPECT_TRUE(harness.failures().empty());
}

// mode switches and finish-fit from another thread, in the middle of everything.
TEST(StatesTest, ModesChangeFromAnotherThread) {
  Scene scene;
  scene.width = 160;
  scene.height = 128;
  ElementHarness harness("mode=fit-then-detect fit-frames=6 input-size=160x128", scene);
  std::atomic<bool> stop = false;
  std::thread other([&] {
    for (int i = 0; !stop; ++i) {
      harness.set("mode", i % 2 == 0 ? "off" : "fit-then-detect");
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  });
  for (int i = 0; i < 400; ++i) ASSERT_TRUE(harness.run(i));
  stop = true;
  other.join();
  EXPECT_TRUE(harness.failures().empty());
}

}  // namespace
}  // namespace padim::test
