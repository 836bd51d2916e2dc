#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "backbone_hook.h"
#include "element_harness.h"
#include "gst/padim/gstpadimmeta.h"
#include "padim/error.h"
#include "padim/model.h"
#include "threads.h"

namespace padim::test {
namespace {

// Models that change under the frames, and how often the network runs meanwhile.
class SwapTest : public testing::Test {
 protected:
  void SetUp() override {
    fit_model(file());
    runs_ = 0;
  }

  std::string file() { return folder_.file("model.padim"); }

  // Pushes frames until the element posts `name`; the network runs once for each of them, and not once more.
  Owned<GstMessage> push_until(ElementHarness& harness, const std::string& name) {
    std::vector<Owned<GstMessage>> messages;
    runs_ = 0;
    int pushed = 0;
    EXPECT_TRUE(step_until([&](int i) {
      EXPECT_NE(harness.run(100 + i), nullptr);
      ++pushed;
      messages = harness.messages(GST_MESSAGE_ELEMENT, name);
      return !messages.empty();
    }));
    EXPECT_EQ(runs_, pushed) << name;
    return messages.empty() ? nullptr : std::move(messages.front());
  }

  TemporaryFolder folder_;
  std::atomic<int> runs_ = 0;
  BackboneHook hook_{[this] { ++runs_; }};
};

std::string model_id(GstBuffer* buffer) {
  GstPadimMeta* meta = gst_buffer_get_padim_meta(buffer);
  return meta == nullptr ? "" : gst_padim_meta_get_model_id(meta);
}

// What was learned is in use without the network having seen anything but the frames.
TEST_F(SwapTest, ARefreshInfersNothingTwice) {
  ElementHarness harness("overlay=0 model-file=" + file());
  gboolean accepted = FALSE;
  g_signal_emit_by_name(harness.element(), "learn", 4, &accepted);
  EXPECT_TRUE(accepted);
  for (int i = 0; i < 4; ++i) harness.run(i, Content::anomalous);
  const auto message = push_until(harness, "padim-learned");
  ASSERT_NE(message, nullptr);
  EXPECT_EQ(model_id(harness.run(0).get()),
            gst_structure_get_string(gst_message_get_structure(message.get()), "model-id"));
}

// Nor does a reload of a model of the same kind, which needs neither the network's file nor the mask's.
TEST_F(SwapTest, AReloadNeedsTheModelFileAlone) {
  const std::string mask = folder_.file("mask.pgm");
  std::ofstream(mask) << "P5\n96 72\n255\n" << std::string(96, '\0') << std::string(96 * 71, '\xff');
  ElementHarness harness("overlay=0 mask-file=" + mask + " model-file=" + file());
  const std::string before = model_id(harness.run(0).get());
  fit_model(folder_.file("new.padim"), {}, 30);
  std::filesystem::rename(folder_.file("new.padim"), file());
  std::filesystem::remove(mask);
  gst::set_backbone_factory([](const BackboneOptions&) -> std::shared_ptr<const Backbone> {
    throw Error(ErrorCode::not_found, "the weights are gone");
  });
  EXPECT_TRUE(emit(harness.element(), "reload-model"));
  ASSERT_NE(push_until(harness, "padim-reloaded"), nullptr);
  const std::string after = model_id(harness.run(1).get());
  EXPECT_EQ(after, Model::load(file()).id());
  EXPECT_NE(after, before);
  EXPECT_TRUE(harness.failures(GST_MESSAGE_WARNING).empty());
}

// A model of another input size is tried before frames go through it, so that none waits for it.
TEST_F(SwapTest, AReloadOfAnotherShapeIsTriedFirst) {
  ElementHarness other("mode=fit input-size=192x144 model-file=" + folder_.file("new.padim"));
  other.push_normal(0, 12);
  EXPECT_TRUE(other.send_eos());
  ElementHarness harness("overlay=0 model-file=" + file());
  std::filesystem::rename(folder_.file("new.padim"), file());
  EXPECT_TRUE(emit(harness.element(), "reload-model"));
  runs_ = 0;
  int pushed = 0;
  EXPECT_TRUE(step_until([&](int i) {
    EXPECT_NE(harness.run(i), nullptr);
    ++pushed;
    return !harness.messages(GST_MESSAGE_ELEMENT, "padim-reloaded").empty();
  }));
  EXPECT_EQ(runs_, pushed + 2);
  EXPECT_EQ(model_id(harness.run(1).get()), Model::load(file()).id());
}

}  // namespace
}  // namespace padim::test
