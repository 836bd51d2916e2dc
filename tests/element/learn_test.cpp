#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "debug_log.h"
#include "element_harness.h"
#include "gst/padim/gstpadimmeta.h"
#include "padim/model.h"
#include "threads.h"

namespace padim::test {
namespace {

class LearnTest : public testing::Test {
 protected:
  void SetUp() override { fit_model(file()); }

  std::string file() { return folder_.file("model.padim"); }

  TemporaryFolder folder_;
};

gboolean learn(ElementHarness& harness, guint frames) {
  gboolean accepted = FALSE;
  g_signal_emit_by_name(harness.element(), "learn", frames, &accepted);
  return accepted;
}

bool anomalous(GstBuffer* buffer) {
  GstPadimMeta* meta = gst_buffer_get_padim_meta(buffer);
  EXPECT_NE(meta, nullptr) << "a frame without result";
  return meta != nullptr && gst_padim_meta_is_anomalous(meta) != FALSE;
}

// Pushes frames until the element posts `name`.
Owned<GstMessage> push_until(ElementHarness& harness, const std::string& name, Content content) {
  std::vector<Owned<GstMessage>> messages;
  const bool came = step_until([&](int i) {
    EXPECT_NE(harness.run(i, content), nullptr);
    messages = harness.messages(GST_MESSAGE_ELEMENT, name);
    return !messages.empty();
  });
  EXPECT_TRUE(came) << name << " never came";
  return came ? std::move(messages.front()) : nullptr;
}

// What the operator shows raises no alarm while it is shown, is normal afterwards, and what changed is posted.
TEST_F(LearnTest, TakesTheOperatorsWord) {
  ElementHarness harness("overlay=0 model-file=" + file());
  EXPECT_TRUE(anomalous(harness.run(0, Content::anomalous).get()));
  harness.flush();
  harness.messages(GST_MESSAGE_ELEMENT);
  EXPECT_TRUE(learn(harness, 4));
  EXPECT_TRUE(learn(harness, 8));
  for (int i = 1; i <= 12; ++i) {
    EXPECT_NE(harness.run(i, Content::anomalous), nullptr);
    EXPECT_TRUE(harness.messages(GST_MESSAGE_ELEMENT, "padim-anomaly-begin").empty()) << i;
  }
  const auto message = push_until(harness, "padim-learned", Content::normal);
  ASSERT_NE(message, nullptr);
  const GstStructure* structure = gst_message_get_structure(message.get());
  const Model before = Model::load(file());
  EXPECT_EQ(uint64_field(structure, "frames-shown"), 12U);
  EXPECT_EQ(uint64_field(structure, "frames"), static_cast<std::uint64_t>(before.info().frames + 12));
  EXPECT_NE(double_field(structure, "threshold"), before.info().calibration.threshold);
  EXPECT_EQ(double_field(structure, "previous-threshold"), before.info().calibration.threshold);
  EXPECT_STREQ(gst_structure_get_string(structure, "previous-model-id"), before.id().c_str());
  for (int i = 20; i < 25; ++i) EXPECT_FALSE(anomalous(harness.run(i, Content::anomalous).get())) << i;
  EXPECT_FALSE(anomalous(harness.run(25).get()));

  // What was learned can be saved, and goes on learning after it is loaded.
  gboolean saved = FALSE;
  g_signal_emit_by_name(harness.element(), "save-model", folder_.file("learned.padim").c_str(), &saved);
  EXPECT_TRUE(saved);
  const Model after = Model::load(folder_.file("learned.padim"));
  EXPECT_STREQ(gst_structure_get_string(structure, "model-id"), after.id().c_str());
  EXPECT_TRUE(after.resumable());
  EXPECT_TRUE(harness.failures().empty());
}

// The end of the stream ends a stretch early: what was shown up to there is learned.
TEST_F(LearnTest, LearnsWhatWasShownAtTheEnd) {
  ElementHarness harness("overlay=0 model-file=" + file());
  EXPECT_TRUE(learn(harness, 1000));
  for (int i = 0; i < 6; ++i) EXPECT_NE(harness.run(i, Content::anomalous), nullptr);
  EXPECT_TRUE(harness.send_eos());
  const auto messages = harness.messages(GST_MESSAGE_ELEMENT, "padim-learned");
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(uint64_field(gst_message_get_structure(messages[0].get()), "frames-shown"), 6U);
}

// A stripped model cannot learn: a warning says so, and detection goes on.
TEST_F(LearnTest, WarnsWhereTheModelCannotLearn) {
  Model::load(file()).stripped().save(folder_.file("stripped.padim"));
  ElementHarness harness("overlay=0 adapt-half-life=100 model-file=" + folder_.file("stripped.padim"));
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(anomalous(harness.run(i).get()));
  auto warnings = harness.failures(GST_MESSAGE_WARNING);
  ASSERT_EQ(warnings.size(), 1U) << "once is enough";
  EXPECT_NE(warnings[0].text.find("stripped"), std::string::npos) << warnings[0].text;
  EXPECT_TRUE(learn(harness, 5));
  for (int i = 3; i < 12; ++i) EXPECT_NE(harness.run(i), nullptr);
  EXPECT_EQ(harness.failures(GST_MESSAGE_WARNING).size(), 1U) << "the operator hears it again";
  EXPECT_TRUE(anomalous(harness.run(12, Content::anomalous).get()));
}

// strip-model makes files that detect and no more, at a fraction of the size; the model in use goes on learning.
TEST_F(LearnTest, StripsWhatIsSaved) {
  const std::string fitted = folder_.file("fitted.padim");
  ElementHarness harness("mode=fit-then-detect fit-frames=24 overlay=0 strip-model=true model-file=" + fitted);
  harness.push_normal(0, 24);
  ASSERT_TRUE(harness.wait_for("padim-fitted"));
  EXPECT_FALSE(Model::load(fitted).resumable());
  EXPECT_TRUE(Model::load(file()).resumable());
  EXPECT_EQ(Model::load(fitted).id(), Model::load(file()).id());
  EXPECT_LT(std::filesystem::file_size(fitted) * 2, std::filesystem::file_size(file()));

  EXPECT_TRUE(learn(harness, 4));
  for (int i = 24; i < 28; ++i) EXPECT_NE(harness.run(i, Content::anomalous), nullptr);
  const auto message = push_until(harness, "padim-learned", Content::normal);
  ASSERT_NE(message, nullptr);
  gboolean saved = FALSE;
  g_signal_emit_by_name(harness.element(), "save-model", folder_.file("learned.padim").c_str(), &saved);
  EXPECT_TRUE(saved);
  const Model learned = Model::load(folder_.file("learned.padim"));
  EXPECT_FALSE(learned.resumable());
  EXPECT_STREQ(gst_structure_get_string(gst_message_get_structure(message.get()), "model-id"), learned.id().c_str());
}

// Nobody listens where no model is in use, and nothing is nothing to learn.
TEST_F(LearnTest, RefusesWithoutAModel) {
  ElementHarness off("mode=off");
  off.push_normal(0, 1);
  EXPECT_FALSE(learn(off, 5));
  ElementHarness harness("model-file=" + file());
  EXPECT_FALSE(learn(harness, 0));
  gst_element_set_state(harness.element(), GST_STATE_NULL);
  EXPECT_FALSE(learn(harness, 5));
}

// Normal frames are folded in, and the model is refreshed while frames go on; the threshold stays.
TEST_F(LearnTest, AdaptsToWhatIsNormal) {
  ElementHarness harness("overlay=0 adapt-half-life=40 model-file=" + file());
  const auto message = push_until(harness, "padim-adapted", Content::normal);
  ASSERT_NE(message, nullptr);
  const GstStructure* structure = gst_message_get_structure(message.get());
  const Model before = Model::load(file());
  EXPECT_EQ(double_field(structure, "threshold"), before.info().calibration.threshold);
  EXPECT_FALSE(gst_structure_has_field(structure, "frames-shown"));
  EXPECT_GT(uint64_field(structure, "frames"), static_cast<std::uint64_t>(before.info().frames));
  EXPECT_TRUE(anomalous(harness.run(100, Content::anomalous).get()));
}

// A defect that stays in view is found in its last frame as in its first.
TEST_F(LearnTest, DoesNotLearnADefectInView) {
  ElementHarness harness("overlay=0 adapt-half-life=20 model-file=" + file());
  push_until(harness, "padim-adapted", Content::normal);
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(anomalous(harness.run(i, Content::anomalous).get())) << i;
  harness.messages(GST_MESSAGE_ELEMENT);
  for (int i = 300; i < 350; ++i) ASSERT_TRUE(anomalous(harness.run(i, Content::anomalous).get())) << i;
  EXPECT_TRUE(harness.messages(GST_MESSAGE_ELEMENT, "padim-adapted").empty());
  EXPECT_FALSE(anomalous(harness.run(350).get()));
}

// reset drops a stretch that has not ended, or not even begun.
TEST_F(LearnTest, ForgetsAStretchOnReset) {
  for (const int shown : {0, 5}) {
    ElementHarness harness("overlay=0 model-file=" + file());
    EXPECT_TRUE(learn(harness, 10));
    for (int i = 0; i < shown; ++i) EXPECT_NE(harness.run(i, Content::anomalous), nullptr);
    gboolean accepted = FALSE;
    g_signal_emit_by_name(harness.element(), "reset", &accepted);
    EXPECT_TRUE(accepted);
    for (int i = shown; i < 30; ++i) EXPECT_TRUE(anomalous(harness.run(i, Content::anomalous).get())) << i;
    EXPECT_TRUE(harness.messages(GST_MESSAGE_ELEMENT, "padim-learned").empty());
  }
}

// Jobs that refresh the model, each of which hangs at its start until the gate opens.
class Refreshes {
 public:
  ~Refreshes() { open(); }

  // Pushes frames until a job hangs.
  void push_until_due(ElementHarness& harness) {
    EXPECT_TRUE(step_until([&](int i) {
      EXPECT_NE(harness.run(i), nullptr);
      return started_ > 0;
    }));
  }

  void open() { gate_.open(); }

 private:
  Gate gate_;
  std::atomic<int> started_ = 0;
  DebugLog log_{GST_LEVEL_INFO, [this](const std::string& line) {
                  if (line.find("refreshing starts") == std::string::npos) return;
                  ++started_;
                  gate_.pass();
                }};
};

// Message by message: what it is, and the frames that the operator showed.
std::vector<std::string> refreshes_said(ElementHarness& harness, std::size_t count) {
  std::vector<std::string> said;
  EXPECT_TRUE(step_until([&](int i) {
    EXPECT_NE(harness.run(i), nullptr);
    for (const auto& message : harness.messages(GST_MESSAGE_ELEMENT)) {
      const GstStructure* structure = gst_message_get_structure(message.get());
      const std::string name = gst_structure_get_name(structure);
      const auto shown = uint64_field(structure, "frames-shown");
      if (name != "padim-learned" && name != "padim-adapted") continue;
      said.push_back(name + (shown ? " " + std::to_string(*shown) : ""));
    }
    return said.size() >= count;
  }));
  return said;
}

// Stretches that end while drift is being followed, one right after the other: the drift is said to be drift, and the
// frames of both are said to be learned once they are.
TEST_F(LearnTest, SaysWhatEachRefreshHolds) {
  Refreshes refreshes;
  ElementHarness harness("overlay=0 adapt-half-life=40 model-file=" + file());
  refreshes.push_until_due(harness);
  harness.messages(GST_MESSAGE_ELEMENT);
  EXPECT_TRUE(learn(harness, 6));
  for (int i = 0; i < 6; ++i) harness.run(i, Content::anomalous);
  EXPECT_TRUE(learn(harness, 4));
  for (int i = 6; i < 8; ++i) harness.run(i, Content::anomalous);
  refreshes.open();
  for (int i = 8; i < 10; ++i) harness.run(i, Content::anomalous);
  EXPECT_EQ(refreshes_said(harness, 2), (std::vector<std::string>{"padim-adapted", "padim-learned 10"}));
  EXPECT_FALSE(anomalous(harness.run(20, Content::anomalous).get()));
}

// A stretch that ends while an earlier one is being learned is learned after it, and each is counted on its own.
TEST_F(LearnTest, LearnsOneStretchAfterTheOther) {
  Refreshes refreshes;
  ElementHarness harness("overlay=0 model-file=" + file());
  EXPECT_TRUE(learn(harness, 3));
  refreshes.push_until_due(harness);
  harness.messages(GST_MESSAGE_ELEMENT);
  EXPECT_TRUE(learn(harness, 5));
  for (int i = 3; i < 8; ++i) harness.run(i, Content::anomalous);
  refreshes.open();
  EXPECT_EQ(refreshes_said(harness, 2), (std::vector<std::string>{"padim-learned 3", "padim-learned 5"}));
  EXPECT_FALSE(anomalous(harness.run(20, Content::anomalous).get()));
}

// The end of the stream waits for a stretch, too, that ends while an earlier one is being learned.
TEST_F(LearnTest, LearnsEveryStretchBeforeTheEnd) {
  Refreshes refreshes;
  ElementHarness harness("overlay=0 model-file=" + file());
  EXPECT_TRUE(learn(harness, 3));
  refreshes.push_until_due(harness);
  EXPECT_TRUE(learn(harness, 8));
  for (int i = 3; i < 8; ++i) harness.run(i, Content::anomalous);
  refreshes.open();
  harness.send_eos();
  std::vector<std::uint64_t> shown;
  for (const auto& message : harness.messages(GST_MESSAGE_ELEMENT, "padim-learned")) {
    shown.push_back(uint64_field(gst_message_get_structure(message.get()), "frames-shown").value_or(0));
  }
  EXPECT_EQ(shown, (std::vector<std::uint64_t>{3, 5}));
}

// reset drops what is being learned, too.
TEST_F(LearnTest, ForgetsARefreshOnReset) {
  Refreshes refreshes;
  ElementHarness harness("overlay=0 model-file=" + file());
  EXPECT_TRUE(learn(harness, 3));
  refreshes.push_until_due(harness);
  EXPECT_TRUE(emit(harness.element(), "reset"));
  EXPECT_NE(harness.run(3), nullptr);
  refreshes.open();
  EXPECT_TRUE(learn(harness, 2));
  EXPECT_EQ(refreshes_said(harness, 1), (std::vector<std::string>{"padim-learned 2"}));
}

}  // namespace
}  // namespace padim::test
