#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "element_harness.h"
#include "gst/padim/gstpadimmeta.h"
#include "threads.h"

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

/// What malloc has handed out and not got back.
std::size_t allocated_bytes() {
  const struct mallinfo2 statistics = mallinfo2();
  return statistics.uordblks + statistics.hblkhd;
}

/// Those that the harness keeps for who may ask.
void forget_events(ElementHarness& harness) {
  while (GstEvent* event = gst_harness_try_pull_event(harness.harness())) gst_event_unref(event);
  while (GstEvent* event = gst_harness_try_pull_upstream_event(harness.harness())) gst_event_unref(event);
}

// A hundred starts and stops with frames in between leave nothing behind: less than a hundred bytes a
// time, where a model has a hundred thousand.
TEST(StatesTest, UpAndDownAHundredTimesWithoutGrowth) {
  for (const std::string& mode :
       {"model-file=" + fitted_model(), std::string("mode=fit-then-detect fit-frames=4"), std::string("mode=off")}) {
    ElementHarness harness(mode);
    const auto cycle = [&](int times) {
      for (int i = 0; i < times; ++i) {
        ASSERT_EQ(gst_element_set_state(harness.element(), GST_STATE_PLAYING), GST_STATE_CHANGE_SUCCESS);
        harness.set_scene(harness.scene());
        harness.push_normal(0, 6);
        ASSERT_EQ(gst_element_set_state(harness.element(), GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
        harness.drain();
        forget_events(harness);
        static_cast<void>(harness.failures());
      }
    };
    cycle(20);
    const std::size_t before = allocated_bytes();
    cycle(100);
    EXPECT_LT(allocated_bytes(), before + 100 * 100) << mode;
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

/// What may change while playing, but for mode, which has a test of its own.
std::vector<GParamSpec*> live_properties(GstElement* element) {
  guint count = 0;
  GParamSpec** specs = g_object_class_list_properties(G_OBJECT_GET_CLASS(element), &count);
  std::vector<GParamSpec*> found;
  for (GParamSpec* spec : std::span(specs, count)) {
    const bool live = (static_cast<unsigned>(spec->flags) & static_cast<unsigned>(GST_PARAM_MUTABLE_PLAYING)) != 0;
    if (live && spec->owner_type == G_OBJECT_TYPE(element) && g_strcmp0(spec->name, "mode") != 0) found.push_back(spec);
  }
  g_free(specs);
  return found;
}

/// Sets a property to one of a few of its values, by `step`.
void turn(GstElement* element, GParamSpec* spec, unsigned step) {
  GValue value = G_VALUE_INIT;
  g_value_init(&value, spec->value_type);
  if (G_IS_PARAM_SPEC_ENUM(spec)) {
    const GEnumClass* known = G_PARAM_SPEC_ENUM(spec)->enum_class;
    g_value_set_enum(&value, known->values[step % known->n_values].value);
  } else if (G_IS_PARAM_SPEC_FLAGS(spec)) {
    g_value_set_flags(&value, step & G_PARAM_SPEC_FLAGS(spec)->flags_class->mask);
  } else if (G_IS_PARAM_SPEC_DOUBLE(spec)) {
    g_value_set_double(&value, step % 8 / 7.0);
  } else if (G_IS_PARAM_SPEC_UINT(spec)) {
    g_value_set_uint(&value, G_PARAM_SPEC_UINT(spec)->minimum + step % 4);
  } else {
    ASSERT_TRUE(G_IS_PARAM_SPEC_UINT64(spec)) << spec->name;
    g_value_set_uint64(&value, step * 1000ULL);
  }
  g_object_set_property(G_OBJECT(element), spec->name, &value);
  g_value_unset(&value);
}

// Two threads turn every knob while a thousand frames flow: no frame is lost, and what is set last holds.
TEST(StatesTest, PropertiesChangeFromTwoThreads) {
  Scene scene;
  scene.width = 160;
  scene.height = 128;
  ElementHarness harness("mode=fit-then-detect fit-frames=16 input-size=160x128", scene);
  const auto knobs = live_properties(harness.element());
  ASSERT_GE(knobs.size(), 15U);
  harness.push_normal(0, 16);
  std::atomic<bool> stop = false;
  const auto turn_all = [&](unsigned start) {
    for (unsigned i = start; !stop; ++i) {
      for (GParamSpec* knob : knobs) turn(harness.element(), knob, i);
      g_object_set(harness.element(), "model-file", i % 2 == 0 ? "a.padim" : nullptr, nullptr);
      gchar* info = nullptr;
      double score = 0;
      g_object_get(harness.element(), "last-score", &score, "model-info", &info, nullptr);
      g_free(info);
    }
  };
  std::thread first(turn_all, 0);
  std::thread second(turn_all, 1);
  for (int i = 0; i < 1000; ++i) {
    const auto out = harness.run(i, i % 4 == 0 ? Content::anomalous : Content::normal);
    ASSERT_TRUE(out) << i;
    ASSERT_EQ(GST_BUFFER_PTS(out.get()), GST_BUFFER_PTS(render(scene, i).get()));
  }
  stop = true;
  first.join();
  second.join();
  EXPECT_TRUE(harness.failures().empty());
  for (const auto& [name, value] : {std::pair("threshold", "0.25"), std::pair("attach-meta", "score")}) {
    harness.set(name, value);
  }
  const auto out = harness.run(1000);
  GstPadimMeta* meta = gst_buffer_get_padim_meta(out.get());
  ASSERT_NE(meta, nullptr);
  EXPECT_EQ(gst_padim_meta_get_threshold(meta), 0.25);
}

// States change under a stream that never stops; nothing crashes, hangs or reports a failure, and it works afterwards.
TEST(StatesTest, StateChangesUnderTheStream) {
  Scene scene;
  scene.width = 160;
  scene.height = 128;
  ElementHarness harness("mode=fit-then-detect fit-frames=6 input-size=160x128", scene);
  std::atomic<bool> stop = false;
  Counter pushed;
  int passed = 0;
  std::thread stream([&] {
    for (int i = 0; !stop; ++i) {
      if (harness.push(i, Content::normal) == GST_FLOW_OK) ++passed;
      harness.drain();
      pushed.add();
    }
  });
  for (unsigned i = 0; i < 60; ++i) {
    pushed.wait_for(1 + i % 8);
    gst_element_set_state(harness.element(), i % 2 == 0 ? GST_STATE_READY : GST_STATE_PLAYING);
  }
  stop = true;
  stream.join();
  EXPECT_TRUE(harness.failures().empty());
  EXPECT_GT(passed, 0);
  // The way up may have passed the stream's caps: once more without frames, which makes the pad before resend them.
  gst_element_set_state(harness.element(), GST_STATE_READY);
  gst_element_set_state(harness.element(), GST_STATE_PLAYING);
  EXPECT_TRUE(emit(harness.element(), "reset"));
  harness.push_normal(0, 6);
  ASSERT_TRUE(harness.wait_for("padim-fitted"));
  const auto out = harness.run(6);
  ASSERT_TRUE(out);
  EXPECT_NE(gst_buffer_get_padim_meta(out.get()), nullptr);
}

// mode switches and finish-fit from another thread, in the middle of everything.
TEST(StatesTest, ModesChangeFromAnotherThread) {
  Scene scene;
  scene.width = 160;
  scene.height = 128;
  ElementHarness harness("mode=fit-then-detect fit-frames=6 input-size=160x128", scene);
  Counter pushed;
  std::thread other([&] {
    for (unsigned i = 0; pushed.wait_for(i % 4); ++i) harness.set("mode", i % 2 == 0 ? "off" : "fit-then-detect");
  });
  for (int i = 0; i < 400; ++i) {
    EXPECT_TRUE(harness.run(i)) << i;
    pushed.add();
  }
  pushed.end();
  other.join();
  EXPECT_TRUE(harness.failures().empty());
}

}  // namespace
}  // namespace padim::test
