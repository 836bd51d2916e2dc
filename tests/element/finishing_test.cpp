#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "backbone_hook.h"
#include "element_harness.h"
#include "gst/padim/gstpadimmeta.h"
#include "padim/model.h"
#include "threads.h"

namespace padim::test {
namespace {

/// Sends the end of the stream from a thread of its own, which waits in the element when this is constructed.
class EndOfStream {
 public:
  explicit EndOfStream(ElementHarness& harness) {
    GstPad* pad = gst_element_get_static_pad(harness.element(), "sink");
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, note, this, nullptr);
    gst_object_unref(pad);
    thread_ = std::thread([&harness] { harness.send_eos(); });
    EXPECT_TRUE(wait_until_asleep(entered_.get_future().get()));
  }
  void join() { thread_.join(); }

 private:
  static GstPadProbeReturn note(GstPad*, GstPadProbeInfo* info, gpointer self) {
    if (GST_EVENT_TYPE(gst_pad_probe_info_get_event(info)) != GST_EVENT_EOS) return GST_PAD_PROBE_OK;
    static_cast<EndOfStream*>(self)->entered_.set_value(this_thread());
    return GST_PAD_PROBE_REMOVE;
  }

  std::promise<pid_t> entered_;
  std::thread thread_;
};

// A fit of 12 frames, the end of which hangs in the network until the gate opens. One thread: the fit's frames go
// through the network in the thread that pushes them.
class FinishingTest : public testing::Test {
 protected:
  static constexpr int kFit = 12;

  ~FinishingTest() override { gate_.open(); }

  std::string fit(const std::string& properties = {}) {
    return "overlay=0 threads=1 fit-frames=12 json-location=" + json() + " " + properties;
  }
  std::string fit_then_detect() { return fit("mode=fit-then-detect"); }
  std::string file() { return folder_.file("model.padim"); }
  std::string json() { return folder_.file("frames.jsonl"); }

  std::vector<std::string> states() { return states_in(json()); }

  Gate gate_;
  BackboneHook hook_{[this] { gate_.pass(); }};
  TemporaryFolder folder_;
};

bool has_result(GstBuffer* buffer) { return gst_buffer_get_padim_meta(buffer) != nullptr; }

bool at_end(ElementHarness& harness) { return GST_PAD_IS_EOS(harness.harness()->sinkpad); }

// While the model is being finished frames flow on, without result; then detection starts.
TEST_F(FinishingTest, FramesFlowOnWithoutAGap) {
  ElementHarness harness(fit_then_detect());
  harness.push_normal(0, kFit);
  const auto finishing = harness.messages(GST_MESSAGE_ELEMENT);
  ASSERT_EQ(finishing.size(), 1U);
  EXPECT_TRUE(gst_message_has_name(finishing[0].get(), "padim-finishing"));
  EXPECT_EQ(uint64_field(gst_message_get_structure(finishing[0].get()), "frames"), 12U);
  for (int i = kFit; i < kFit + 10; ++i) {
    const auto out = harness.run(i, Content::anomalous);
    ASSERT_TRUE(out);
    EXPECT_FALSE(has_result(out.get()));
    EXPECT_TRUE(bytes_of(out.get()) == bytes_of(render(harness.scene(), i, Content::anomalous).get()));
  }
  EXPECT_TRUE(harness.messages(GST_MESSAGE_ELEMENT).empty());
  gate_.open();
  ASSERT_TRUE(harness.wait_for("padim-fitted"));
  const auto out = harness.run(kFit + 10, Content::anomalous);
  EXPECT_TRUE(has_result(out.get()));

  std::vector<std::string> expected(kFit, "fit");
  expected.insert(expected.end(), 10, "finishing");
  expected.emplace_back("detect");
  EXPECT_EQ(states(), expected);
}

// The same after finish-fit and in mode fit, which has nothing to detect afterwards.
TEST_F(FinishingTest, FramesFlowOnAfterFinishFit) {
  ElementHarness harness(fit("mode=fit fit-frames=0 model-file=" + file()));
  harness.push_normal(0, 8);
  EXPECT_TRUE(emit(harness.element(), "finish-fit"));
  harness.push_normal(8, 3);
  gate_.open();
  ASSERT_TRUE(harness.wait_for("padim-fitted"));
  harness.push_normal(11, 2);
  std::vector<std::string> expected(8, "fit");
  expected.insert(expected.end(), 3, "finishing");
  expected.insert(expected.end(), 2, "off");
  EXPECT_EQ(states(), expected);
  EXPECT_EQ(Model::load(file()).info().frames, 8);
}

// Flushes, new caps and new segments do not disturb it.
TEST_F(FinishingTest, GoesOnThroughFlushAndCaps) {
  ElementHarness harness(fit_then_detect());
  harness.push_normal(0, kFit);
  harness.flush();
  Scene half = harness.scene();
  half.width /= 2;
  half.height /= 2;
  half.format = "NV12";
  harness.set_scene(half);
  harness.push_normal(0, 2);
  gate_.open();
  ASSERT_TRUE(harness.wait_for("padim-fitted"));
  EXPECT_TRUE(has_result(harness.run(2).get()));
  EXPECT_TRUE(harness.failures().empty());
}

// The end of the stream waits until the model is saved and announced.
TEST_F(FinishingTest, TheEndOfTheStreamWaits) {
  ElementHarness harness(fit("mode=fit model-file=" + file()));
  harness.push_normal(0, kFit);
  EndOfStream stream(harness);
  EXPECT_FALSE(at_end(harness));
  gate_.open();
  stream.join();
  EXPECT_TRUE(at_end(harness));
  EXPECT_EQ(harness.messages(GST_MESSAGE_ELEMENT, "padim-fitted").size(), 1U);
  EXPECT_EQ(Model::load(file()).info().frames, kFit);
}

// A flush calls back a thread that waits at the end of the stream; the fit is finished all the same.
TEST_F(FinishingTest, AFlushEndsTheWait) {
  ElementHarness harness(fit_then_detect());
  harness.push_normal(0, kFit);
  EndOfStream stream(harness);
  EXPECT_TRUE(gst_harness_push_event(harness.harness(), gst_event_new_flush_start()));
  stream.join();
  EXPECT_TRUE(gst_harness_push_event(harness.harness(), gst_event_new_flush_stop(TRUE)));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  EXPECT_TRUE(gst_harness_push_event(harness.harness(), gst_event_new_segment(&segment)));
  harness.push_normal(0, 2);
  gate_.open();
  ASSERT_TRUE(harness.wait_for("padim-fitted"));
  EXPECT_TRUE(has_result(harness.run(2).get()));
}

// READY waits for a model that is to be saved, even under a thread that waits at the end of the stream, and cancels one
// that nobody would see.
TEST_F(FinishingTest, ReadyCompletesWhatLasts) {
  for (const bool saves : {true, false}) {
    Gate gate;
    const BackboneHook hook([&] { gate.pass(); });
    ElementHarness harness(fit_then_detect() + (saves ? " model-file=" + file() : ""));
    harness.push_normal(0, kFit);
    EndOfStream stream(harness);
    std::thread opener([&, changing = this_thread()] {
      EXPECT_TRUE(wait_until_asleep(changing));
      gate.open();
    });
    EXPECT_EQ(gst_element_set_state(harness.element(), GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
    stream.join();
    opener.join();
    EXPECT_EQ(harness.messages(GST_MESSAGE_ELEMENT, "padim-fitted").size(), saves ? 1U : 0U);
    EXPECT_EQ(std::filesystem::exists(file()), saves);
    std::filesystem::remove(file());
  }
}

// So it does where the stream has failed meanwhile, for a reason that is not the fit's: nobody reads the records.
TEST_F(FinishingTest, ReadyCompletesWhatLastsAfterAnError) {
  std::signal(SIGPIPE, SIG_IGN);
  const std::string pipe = folder_.file("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const int reader = open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  ElementHarness harness("overlay=0 mode=fit-then-detect threads=1 fit-frames=12 json-location=" + pipe +
                         " model-file=" + file());
  harness.push_normal(0, kFit);
  close(reader);
  EXPECT_EQ(harness.push(kFit), GST_FLOW_ERROR);
  std::thread opener([&, changing = this_thread()] {
    EXPECT_TRUE(wait_until_asleep(changing));
    gate_.open();
  });
  EXPECT_EQ(gst_element_set_state(harness.element(), GST_STATE_READY), GST_STATE_CHANGE_SUCCESS);
  opener.join();
  EXPECT_EQ(harness.messages(GST_MESSAGE_ELEMENT, "padim-fitted").size(), 1U);
  EXPECT_TRUE(std::filesystem::exists(file()));
}

// reset drops the fit that is being finished and begins another one.
TEST_F(FinishingTest, ResetStartsAnew) {
  ElementHarness harness(fit_then_detect());
  harness.push_normal(0, kFit);
  EXPECT_TRUE(emit(harness.element(), "reset"));
  harness.push_normal(kFit, 5);
  gate_.open();
  EXPECT_TRUE(emit(harness.element(), "reset"));
  harness.push_normal(kFit + 5, kFit);
  const auto fitted = harness.wait_for("padim-fitted");
  ASSERT_TRUE(fitted);
  EXPECT_EQ(uint64_field(gst_message_get_structure(fitted.get()), "frames"), 12U);
  EXPECT_TRUE(has_result(harness.run(40).get()));
  EXPECT_TRUE(harness.messages(GST_MESSAGE_ELEMENT, "padim-fitted").empty());
}

// Modes that change meanwhile: off passes frames, another fit waits for the end of this one.
TEST_F(FinishingTest, ModesChangeMeanwhile) {
  ElementHarness harness(fit_then_detect());
  harness.push_normal(0, kFit);
  for (const char* mode : {"off", "fit-then-detect", "detect"}) {
    harness.set("mode", mode);
    harness.push_normal(kFit, 2);
  }
  gate_.open();
  ASSERT_TRUE(harness.wait_for("padim-fitted"));
  EXPECT_TRUE(has_result(harness.run(20).get()));
  std::vector<std::string> expected(kFit, "fit");
  for (const char* state : {"off", "off", "finishing", "finishing", "finishing", "finishing", "detect"}) {
    expected.emplace_back(state);
  }
  EXPECT_EQ(states(), expected);
  EXPECT_TRUE(harness.failures().empty());
}

// A model that cannot be saved stops the stream, with the reason.
TEST_F(FinishingTest, FailuresReachTheStream) {
  const std::string gone = folder_.file("gone");
  std::filesystem::create_directory(gone);
  gate_.open();
  ElementHarness harness(fit_then_detect() + " model-file=" + gone + "/model.padim");
  harness.push_normal(0, kFit - 1);
  std::filesystem::remove(gone);
  harness.push_normal(kFit - 1, 1);
  GstFlowReturn flow = GST_FLOW_OK;
  EXPECT_TRUE(step_until([&](int) {
    flow = harness.push(kFit);
    harness.drain();
    return flow != GST_FLOW_OK;
  }));
  EXPECT_EQ(flow, GST_FLOW_ERROR);
  const auto failures = harness.failures();
  ASSERT_EQ(failures.size(), 1U);
  EXPECT_EQ(failures[0].code, GST_RESOURCE_ERROR_OPEN_WRITE);
  EXPECT_NE(failures[0].text.find("model.padim"), std::string::npos);
}

// A file can wait: every frame after the fit is scored.
TEST_F(FinishingTest, SourcesThatAreNotLiveWait) {
  gate_.open();
  GError* error = nullptr;
  const Owned<GstElement> pipeline(
      gst_parse_launch(("videotestsrc num-buffers=30 ! video/x-raw,width=384,height=288 ! padimfilter " +
                        fit_then_detect() + " ! fakesink")
                           .c_str(),
                       &error));
  ASSERT_EQ(error, nullptr) << error->message;
  const Owned<GstBus> bus(gst_element_get_bus(pipeline.get()));
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  const Owned<GstMessage> end(gst_bus_timed_pop_filtered(
      bus.get(), 20 * GST_SECOND, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  ASSERT_TRUE(end);
  std::vector<std::string> expected(kFit, "fit");
  expected.insert(expected.end(), 18, "detect");
  EXPECT_EQ(states(), expected);
}

}  // namespace
}  // namespace padim::test
