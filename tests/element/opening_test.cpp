#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "backbonefactory.h"
#include "element_harness.h"
#include "padim/error.h"
#include "support/fake_backbone.h"
#include "threads.h"

namespace padim::test {
namespace {

// Networks that are opened while frames flow. The gate holds up whoever opens one, but for the thread of the test,
// which pushes the frames.
class OpeningTest : public testing::Test {
 protected:
  OpeningTest() {
    gst::set_backbone_factory([this](const BackboneOptions& options) -> std::shared_ptr<const Backbone> {
      ++opened_;
      gate_.pass();
      if (fails_) throw Error(ErrorCode::not_found, "the weights are gone");
      return std::make_shared<FakeBackbone>(options.name);
    });
  }
  ~OpeningTest() override {
    gate_.open();
    gst::set_backbone_factory(
        [](const BackboneOptions& options) { return std::make_shared<FakeBackbone>(options.name); });
  }

  std::string off() { return "mode=off overlay=0 threads=1 fit-frames=12 json-location=" + json(); }
  std::string json() { return folder_.file("frames.jsonl"); }

  // Of each frame so far, without repeats.
  std::vector<std::string> states() {
    auto all = states_in(json());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
  }

  void push_until(ElementHarness& harness, const std::string& state) {
    EXPECT_TRUE(step_until([&](int i) {
      harness.run(i);
      return states_in(json()).back() == state;
    })) << state;
  }

  Gate gate_;
  std::atomic<int> opened_ = 0;
  std::atomic<bool> fails_ = false;
  TemporaryFolder folder_;
};

using States = std::vector<std::string>;

// Frames of a live source pass while the network of a fit is opened; those after it are fitted.
TEST_F(OpeningTest, FramesPassMeanwhile) {
  ElementHarness harness(off());
  harness.push_normal(0, 2);
  harness.set("mode", "fit-then-detect");
  harness.push_normal(2, 3);
  EXPECT_EQ(states_in(json()), (States{"off", "off", "loading", "loading", "loading"}));
  EXPECT_FALSE(emit(harness.element(), "finish-fit")) << "there is no fit to finish yet";
  gate_.open();
  push_until(harness, "fit");
  harness.push_normal(50, 11);
  ASSERT_TRUE(harness.wait_for("padim-fitted"));
  harness.push_normal(61, 1);
  EXPECT_EQ(states(), (States{"off", "loading", "fit", "detect"}));
  EXPECT_EQ(opened_, 1) << "the fit's network is that of the detection";
  EXPECT_TRUE(harness.failures().empty());
}

// The network that detects is there for a fit, too.
TEST_F(OpeningTest, TheNetworkInUseServesTheFit) {
  gate_.open();
  const std::string model = folder_.file("model.padim");
  fit_model(model);
  ElementHarness harness("overlay=0 fit-frames=12 json-location=" + json() + " model-file=" + model);
  opened_ = 0;
  harness.push_normal(0, 1);
  harness.set("mode", "fit-then-detect");
  harness.push_normal(1, 2);
  EXPECT_EQ(states_in(json()), (States{"detect", "fit", "fit"}));
  EXPECT_EQ(opened_, 0);
}

// A network that cannot be opened stops the stream, with the reason.
TEST_F(OpeningTest, FailuresReachTheStream) {
  fails_ = true;
  gate_.open();
  ElementHarness harness(off());
  harness.push_normal(0, 1);
  harness.set("mode", "fit-then-detect");
  GstFlowReturn flow = GST_FLOW_OK;
  EXPECT_TRUE(step_until([&](int i) {
    flow = harness.push(i);
    harness.drain();
    return flow != GST_FLOW_OK;
  }));
  EXPECT_EQ(flow, GST_FLOW_ERROR);
  const auto failures = harness.failures();
  ASSERT_EQ(failures.size(), 1U);
  EXPECT_EQ(failures[0].domain, GST_RESOURCE_ERROR);
  EXPECT_EQ(failures[0].code, GST_RESOURCE_ERROR_NOT_FOUND);
  EXPECT_EQ(failures[0].text, "the weights are gone");
}

// What would make the fit's end fail is said at once, before anything is opened.
TEST_F(OpeningTest, SettingsAreCheckedFirst) {
  ElementHarness harness(off());
  harness.push_normal(0, 1);
  harness.set("mode", "fit");
  EXPECT_EQ(harness.push(1), GST_FLOW_ERROR);
  const auto failures = harness.failures();
  ASSERT_EQ(failures.size(), 1U);
  EXPECT_NE(failures[0].text.find("model-file"), std::string::npos) << failures[0].text;
  EXPECT_EQ(opened_, 0);
}

// Modes that change and resets that come meanwhile: one network is opened, and a fit begins where one is still wanted.
TEST_F(OpeningTest, ModesChangeMeanwhile) {
  ElementHarness harness(off());
  for (const char* mode : {"fit-then-detect", "off", "fit-then-detect"}) {
    harness.set("mode", mode);
    harness.push_normal(0, 1);
    EXPECT_TRUE(emit(harness.element(), "reset"));
    harness.push_normal(1, 1);
  }
  gate_.open();
  push_until(harness, "fit");
  EXPECT_EQ(states(), (States{"loading", "off", "loading", "fit"}));
  EXPECT_EQ(opened_, 1);
  EXPECT_TRUE(harness.failures().empty());
}

// A mode that is left before the network is there leaves no fit behind, which the end of the stream would find empty.
TEST_F(OpeningTest, LeavingTheModeForgetsIt) {
  ElementHarness harness(off());
  harness.set("mode", "fit-then-detect");
  harness.push_normal(0, 1);
  harness.set("mode", "off");
  harness.push_normal(1, 1);
  gate_.open();
  EXPECT_TRUE(harness.send_eos());
  EXPECT_EQ(states(), (States{"loading", "off"}));
  EXPECT_TRUE(harness.failures().empty());
}

// READY does not wait for a fit that has no frame.
TEST_F(OpeningTest, ReadyForgetsIt) {
  {
    ElementHarness harness(off());
    harness.set("mode", "fit-then-detect");
    harness.push_normal(0, 1);
    gate_.open();
    gst_element_set_state(harness.element(), GST_STATE_READY);
    EXPECT_TRUE(harness.messages(GST_MESSAGE_PROGRESS).empty());
    EXPECT_TRUE(harness.failures().empty());
  }
}

// A file can wait: no frame passes without what its mode says.
TEST_F(OpeningTest, SourcesThatAreNotLiveWait) {
  gate_.open();
  const std::string model = folder_.file("model.padim");
  struct Case {
    const char* mode;
    States states;
  };
  States fitted(5, "off");
  fitted.insert(fitted.end(), 12, "fit");
  fitted.insert(fitted.end(), 13, "detect");
  States detected(5, "off");
  detected.insert(detected.end(), 25, "detect");
  for (const Case& c : {Case{"fit-then-detect", fitted}, Case{"detect", detected}}) {
    std::filesystem::remove(json());  // the element would go on in it
    GError* error = nullptr;
    const Owned<GstElement> pipeline(
        gst_parse_launch(("videotestsrc num-buffers=30 ! video/x-raw,width=384,height=288 ! padimfilter name=filter " +
                          off() + " model-file=" + model + " ! fakesink")
                             .c_str(),
                         &error));
    ASSERT_EQ(error, nullptr) << error->message;
    const Owned<GstElement> filter(gst_bin_get_by_name(GST_BIN(pipeline.get()), "filter"));
    struct Switch {
      GstElement* filter;
      const char* mode;
      int frames;
    } at_sixth = {filter.get(), c.mode, 0};
    GstPad* pad = gst_element_get_static_pad(filter.get(), "sink");
    gst_pad_add_probe(
        pad, GST_PAD_PROBE_TYPE_BUFFER,
        [](GstPad*, GstPadProbeInfo*, gpointer data) {
          auto* change = static_cast<Switch*>(data);
          if (change->frames++ == 5) gst_util_set_object_arg(G_OBJECT(change->filter), "mode", change->mode);
          return GST_PAD_PROBE_OK;
        },
        &at_sixth, nullptr);
    gst_object_unref(pad);
    const Owned<GstBus> bus(gst_element_get_bus(pipeline.get()));
    gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
    const Owned<GstMessage> end(gst_bus_timed_pop_filtered(
        bus.get(), 60 * GST_SECOND, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
    gst_element_set_state(pipeline.get(), GST_STATE_NULL);
    ASSERT_TRUE(end);
    EXPECT_EQ(GST_MESSAGE_TYPE(end.get()), GST_MESSAGE_EOS);
    EXPECT_EQ(states_in(json()), c.states) << c.mode;
  }
}

}  // namespace
}  // namespace padim::test
