#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <sstream>
#include <string>

#include "element_harness.h"
#include "gst/padim/gstpadimmeta.h"
#include "padim/model.h"

namespace padim::test {
namespace {

class ReloadTest : public testing::Test {
 protected:
  void SetUp() override { fit_model(file()); }

  std::string file() { return folder_.file("model.padim"); }

  // As `padim fit` and the element do.
  void replace_by(const std::string& other) { std::filesystem::rename(other, file()); }
  void replace_by_text(const std::string& text) {
    std::ofstream(folder_.file("text")) << text;
    replace_by(folder_.file("text"));
  }

  TemporaryFolder folder_;
};

std::string model_id(GstBuffer* buffer) {
  GstPadimMeta* meta = gst_buffer_get_padim_meta(buffer);
  return meta == nullptr ? "" : gst_padim_meta_get_model_id(meta);
}

// Pushes frames, each of which must have a result, until a warning is posted.
std::vector<Failure> warning_after_frames(ElementHarness& harness) {
  std::vector<Failure> warnings;
  step_until([&](int i) {
    EXPECT_NE(model_id(harness.run(i).get()), "");
    warnings = harness.failures(GST_MESSAGE_WARNING);
    return !warnings.empty();
  });
  return warnings;
}

// The replaced file is picked up on request, between two frames, and is what the element says of itself.
TEST_F(ReloadTest, TakesTheNewModel) {
  ElementHarness harness("overlay=0 model-file=" + file());
  const std::string before = model_id(harness.run(0).get());
  fit_model(folder_.file("new.padim"), {}, 30);
  replace_by(folder_.file("new.padim"));
  EXPECT_EQ(model_id(harness.run(1).get()), before);

  EXPECT_TRUE(emit(harness.element(), "reload-model"));
  std::string after = before;
  EXPECT_TRUE(step_until([&](int i) {
    after = model_id(harness.run(2 + i).get());
    EXPECT_NE(after, "") << "a frame without result";
    return after != before;
  }));
  const Model model = Model::load(file());
  EXPECT_EQ(after, model.id());
  const auto messages = harness.messages(GST_MESSAGE_ELEMENT, "padim-reloaded");
  ASSERT_EQ(messages.size(), 1U);
  const GstStructure* structure = gst_message_get_structure(messages[0].get());
  EXPECT_EQ(uint64_field(structure, "frames"), 30U);
  EXPECT_EQ(uint64_field(structure, "frames-held-out"), model.info().calibration.scores.size());
  EXPECT_EQ(double_field(structure, "threshold"), model.info().calibration.threshold);
  EXPECT_STREQ(gst_structure_get_string(structure, "model-file"), file().c_str());
  EXPECT_STREQ(gst_structure_get_string(structure, "model-id"), model.id().c_str());
  gchar* info = nullptr;
  g_object_get(harness.element(), "model-info", &info, nullptr);
  EXPECT_EQ(info, to_json(model));
  g_free(info);
}

// What the element says of a frame, to the bit.
std::string verdict_of(GstBuffer* buffer) {
  GstPadimMeta* meta = gst_buffer_get_padim_meta(buffer);
  if (meta == nullptr) return "none";
  std::ostringstream text;
  text << std::hexfloat << gst_padim_meta_get_raw_score(meta) << " " << gst_padim_meta_get_score(meta) << " "
       << gst_padim_meta_get_model_id(meta);
  return text.str();
}

// A file that is cut, overwritten or deleted under a running element changes nothing there; what is then read on
// request is refused or taken as a whole.
TEST_F(ReloadTest, ScoresTheSameWhileTheFileIsOverwritten) {
  fit_model(folder_.file("new.padim"), {}, 30);
  const auto contents = [](const std::string& path) {
    std::ifstream stream(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(stream), {});
  };
  const std::string other = contents(folder_.file("new.padim"));
  const std::string own = contents(file());
  const auto rewrite = [&](const std::string& bytes) { std::ofstream(file(), std::ios::binary) << bytes; };
  ElementHarness harness("overlay=0 model-file=" + file());
  const std::string expected = verdict_of(harness.run(0).get());
  ASSERT_NE(expected, "none");
  const std::function<void()> steps[] = {
      [&] { rewrite(""); },
      [&] { rewrite(other.substr(0, other.size() / 2)); },
      [&] { rewrite(other); },
      [&] { std::fstream(file(), std::ios::binary | std::ios::in | std::ios::out) << std::string(own.size(), 'x'); },
      [&] { std::filesystem::remove(file()); },
  };
  for (const auto& step : steps) {
    step();
    EXPECT_EQ(verdict_of(harness.run(0).get()), expected);
  }
  EXPECT_TRUE(harness.failures().empty());
  EXPECT_TRUE(harness.failures(GST_MESSAGE_WARNING).empty());
}

// To learn, the element needs the rest of its model's file; where that was overwritten it says so, and goes on scoring.
TEST_F(ReloadTest, SaysThatAnOverwrittenModelCannotLearn) {
  fit_model(folder_.file("new.padim"), {}, 30);
  ElementHarness harness("overlay=0 model-file=" + file());
  const std::string before = model_id(harness.run(0).get());
  std::filesystem::copy_file(folder_.file("new.padim"), file(), std::filesystem::copy_options::overwrite_existing);
  gboolean accepted = FALSE;
  g_signal_emit_by_name(harness.element(), "learn", 4, &accepted);
  EXPECT_TRUE(accepted);
  const auto warnings = warning_after_frames(harness);
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_NE(warnings[0].text.find("overwritten after it was loaded; load it again"), std::string::npos)
      << warnings[0].text;
  EXPECT_EQ(model_id(harness.run(9).get()), before);
  EXPECT_TRUE(emit(harness.element(), "reload-model"));
  EXPECT_TRUE(step_until([&](int i) { return model_id(harness.run(10 + i).get()) != before; }));
}

// Where drift is followed so closely that hardly a frame passes without a refresh, a new model still gets its turn.
TEST_F(ReloadTest, ComesBetweenRefreshes) {
  ElementHarness harness("overlay=0 adapt-half-life=8 model-file=" + file());
  for (int i = 0; i < 40; ++i) harness.run(i);
  EXPECT_TRUE(emit(harness.element(), "reload-model"));
  EXPECT_TRUE(step_until([&](int i) {
    harness.run(40 + i);
    return !harness.messages(GST_MESSAGE_ELEMENT, "padim-reloaded").empty();
  }));
}

// A replacement that is broken, missing or of another shape leaves the running model in place, with a warning.
TEST_F(ReloadTest, KeepsTheModelWhereTheNewOneIsUnfit) {
  Scene tall;
  std::swap(tall.width, tall.height);
  fit_model(folder_.file("tall.padim"), tall);
  ElementHarness harness("overlay=0 model-file=" + file());
  const std::string before = model_id(harness.run(0).get());
  struct Case {
    const char* name;
    std::function<void()> replace;
    int code;
  };
  const Case cases[] = {
      {"broken", [&] { replace_by_text("not a model"); }, GST_RESOURCE_ERROR_OPEN_READ},
      {"other shape", [&] { replace_by(folder_.file("tall.padim")); }, GST_RESOURCE_ERROR_SETTINGS},
      {"missing", [&] { std::filesystem::remove(file()); }, GST_RESOURCE_ERROR_NOT_FOUND},
  };
  for (const Case& c : cases) {
    c.replace();
    EXPECT_TRUE(emit(harness.element(), "reload-model")) << c.name;
    const auto warnings = warning_after_frames(harness);
    ASSERT_EQ(warnings.size(), 1U) << c.name;
    EXPECT_EQ(warnings[0].domain, GST_RESOURCE_ERROR) << c.name;
    EXPECT_EQ(warnings[0].code, c.code) << c.name << ": " << warnings[0].text;
    EXPECT_EQ(model_id(harness.run(1).get()), before) << c.name;
  }
  EXPECT_TRUE(harness.failures().empty());
}

// Where there is nothing to replace, it says so; a stopped element does not listen.
TEST_F(ReloadTest, SaysWhenThereIsNothingToReplace) {
  for (const std::string& properties : {std::string("mode=off model-file=") + file(), std::string("mode=off")}) {
    ElementHarness harness(properties);
    EXPECT_TRUE(emit(harness.element(), "reload-model"));
    harness.push_normal(0, 1);
    EXPECT_EQ(harness.failures(GST_MESSAGE_WARNING).size(), 1U) << properties;
    gst_element_set_state(harness.element(), GST_STATE_NULL);
    EXPECT_FALSE(emit(harness.element(), "reload-model"));
    EXPECT_FALSE(emit(harness.element(), "reset"));
  }
}

// mode=detect on the run reads the model while frames pass.
TEST_F(ReloadTest, LoadsWhenTheModeBecomesDetect) {
  ElementHarness harness("mode=off overlay=0 model-file=" + file());
  harness.push_normal(0, 2);
  harness.set("mode", "detect");
  std::string id;
  EXPECT_TRUE(step_until([&](int i) {
    id = model_id(harness.run(2 + i).get());
    return !id.empty();
  }));
  EXPECT_EQ(id, Model::load(file()).id());
}

// reset forgets what was seen, not the model.
TEST_F(ReloadTest, ResetForgetsResults) {
  ElementHarness harness("overlay=0 inference-interval=1000 model-file=" + file());
  harness.run(0, Content::anomalous);
  EXPECT_EQ(harness.messages(GST_MESSAGE_ELEMENT, "padim-anomaly-begin").size(), 1U);
  EXPECT_TRUE(emit(harness.element(), "reset"));
  const auto out = harness.run(1);
  EXPECT_EQ(harness.messages(GST_MESSAGE_ELEMENT, "padim-anomaly-end").size(), 1U);
  GstPadimMeta* meta = gst_buffer_get_padim_meta(out.get());
  ASSERT_NE(meta, nullptr);
  EXPECT_FALSE(gst_padim_meta_is_reused(meta));
}

// In the middle of a fit, reset begins again with no frame.
TEST_F(ReloadTest, ResetRestartsAFit) {
  ElementHarness harness("mode=fit-then-detect");
  harness.push_normal(0, 7);
  EXPECT_TRUE(emit(harness.element(), "reset"));
  harness.push_normal(7, 9);
  harness.send_eos();
  const auto fitted = harness.messages(GST_MESSAGE_ELEMENT, "padim-fitted");
  ASSERT_EQ(fitted.size(), 1U);
  EXPECT_EQ(uint64_field(gst_message_get_structure(fitted[0].get()), "frames"), 9U);
}

}  // namespace
}  // namespace padim::test
