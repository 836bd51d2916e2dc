#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "element_harness.h"
#include "gst/padim/gstpadimmeta.h"
#include "padim/model.h"
#include "test_clock.h"

namespace padim::test {
namespace {

std::uint64_t frames_of(const Owned<GstMessage>& fitted) {
  return uint64_field(gst_message_get_structure(fitted.get()), "frames").value_or(0);
}

// A fit at the end of the stream: saved, announced with the model's own numbers, and the end goes on downstream.
TEST(FitTest, EndsAtTheEndOfTheStream) {
  const TemporaryFolder folder;
  const std::string file = folder.file("part.padim");
  ElementHarness harness("mode=fit model-file=" + file);
  harness.push_normal(0, 25);
  EXPECT_EQ(gst_harness_buffers_received(harness.harness()), 25U);
  EXPECT_TRUE(harness.send_eos());

  const auto fitted = harness.messages(GST_MESSAGE_ELEMENT, "padim-fitted");
  ASSERT_EQ(fitted.size(), 1U);
  const Model model = Model::load(file);
  const GstStructure* structure = gst_message_get_structure(fitted[0].get());
  EXPECT_EQ(frames_of(fitted[0]), 25U);
  EXPECT_EQ(uint64_field(structure, "frames-seen"), 25U);
  EXPECT_EQ(uint64_field(structure, "frames-held-out"), model.info().calibration.scores.size());
  EXPECT_EQ(model.info().frames, 25);
  EXPECT_STREQ(gst_structure_get_string(structure, "model-file"), file.c_str());
  EXPECT_DOUBLE_EQ(double_field(structure, "threshold").value(), model.info().calibration.threshold);
  EXPECT_GT(model.info().calibration.threshold, 0);
  EXPECT_EQ(uint64_field(structure, "timestamp"), 24 * GST_SECOND / 30);
  EXPECT_EQ(uint64_field(structure, "running-time"), 24 * GST_SECOND / 30);
  EXPECT_EQ(uint64_field(structure, "stream-time"), 24 * GST_SECOND / 30);
  EXPECT_EQ(uint64_field(structure, "duration"), GST_SECOND / 30);
  EXPECT_TRUE(GST_PAD_IS_EOS(harness.harness()->sinkpad));
}

// A fit does not touch the video.
TEST(FitTest, LeavesFramesAlone) {
  ElementHarness harness("mode=fit-then-detect fit-frames=0");
  const auto original = bytes_of(render(harness.scene(), 3).get());
  const auto out = harness.run(3);
  ASSERT_TRUE(out);
  EXPECT_TRUE(bytes_of(out.get()) == original);
  EXPECT_EQ(gst_buffer_get_padim_meta(out.get()), nullptr);
}

// Detection starts with the very next frame after the model is there.
TEST(FitTest, ThenDetectsFromTheNextFrameOn) {
  ElementHarness harness("mode=fit-then-detect fit-frames=20 overlay=0");
  for (int i = 0; i < 20; ++i) {
    const auto out = harness.run(i);
    ASSERT_TRUE(out);
    ASSERT_EQ(gst_buffer_get_padim_meta(out.get()), nullptr) << "frame " << i;
  }
  const auto fitted = harness.wait_for("padim-fitted");
  ASSERT_TRUE(fitted);
  EXPECT_EQ(frames_of(fitted), 20U);
  EXPECT_FALSE(gst_structure_has_field(gst_message_get_structure(fitted.get()), "model-file"));

  const auto out = harness.run(20);
  ASSERT_TRUE(out);
  EXPECT_NE(gst_buffer_get_padim_meta(out.get()), nullptr);
}

// The end of the stream before fit-frames ends the fit too.
TEST(FitTest, ThenDetectSavesAtAnEarlyEnd) {
  const TemporaryFolder folder;
  const std::string file = folder.file("early.padim");
  ElementHarness harness("mode=fit-then-detect fit-frames=1000 model-file=" + file);
  harness.push_normal(0, 12);
  EXPECT_TRUE(harness.send_eos());
  EXPECT_EQ(Model::load(file).info().frames, 12);
}

// Where there is a model, fit-then-detect detects with it from the first frame on, and says so; with refit, and while
// it plays, it fits all the same.
TEST(FitTest, ThenDetectTakesTheModelThatIsThere) {
  const TemporaryFolder folder;
  const std::string file = folder.file("there.padim");
  std::filesystem::copy_file(fitted_model(), file);
  const std::string id = Model::load(file).id();
  const std::string properties = "mode=fit-then-detect fit-frames=12 overlay=0 model-file=" + file;
  {
    ElementHarness harness(properties);
    const auto infos = harness.failures(GST_MESSAGE_INFO);
    ASSERT_EQ(infos.size(), 1U);
    EXPECT_NE(infos[0].text.find(file), std::string::npos) << infos[0].text;
    const auto out = harness.run(0);
    ASSERT_TRUE(out);
    EXPECT_NE(gst_buffer_get_padim_meta(out.get()), nullptr);
    harness.push_normal(1, 20);
    EXPECT_EQ(Model::load(file).id(), id);
    EXPECT_TRUE(emit(harness.element(), "reset"));
    harness.push_normal(21, 12);
    ASSERT_TRUE(harness.wait_for("padim-fitted"));
  }
  EXPECT_EQ(Model::load(file).info().frames, 12);
  ElementHarness again(properties + " refit=true");
  again.push_normal(0, 12);
  EXPECT_TRUE(again.wait_for("padim-fitted"));
}

// A stop before the end of a fit keeps what was collected beside the model file, which stays as it was; what cannot be
// kept is said to be lost.
TEST(FitTest, KeepsWhatWasCollectedWhenStopped) {
  const TemporaryFolder folder;
  const std::string file = folder.file("part.padim");
  const std::string unfinished = file + ".unfinished";
  struct {
    std::string properties;
    int frames;
    const char* says;
  } const cases[] = {{"mode=fit model-file=" + file, 14, "part.padim.unfinished"},
                     {"mode=fit-then-detect fit-frames=50 refit=true model-file=" + file, 14, "after 14 frames"},
                     {"mode=fit model-file=" + file, 1, "is lost"},
                     {"mode=fit-then-detect", 14, "is lost: model-file is not set"}};
  for (const auto& c : cases) {
    std::filesystem::remove(unfinished);
    std::ofstream(file) << "yesterday's";
    ElementHarness harness(c.properties);
    harness.push_normal(0, c.frames);
    harness.failures(GST_MESSAGE_WARNING);
    gst_element_set_state(harness.element(), GST_STATE_READY);
    const auto warnings = harness.failures(GST_MESSAGE_WARNING);
    ASSERT_EQ(warnings.size(), 1U) << c.properties;
    EXPECT_NE(warnings[0].text.find(c.says), std::string::npos) << warnings[0].text;
    const bool kept = warnings[0].text.find("is lost") == std::string::npos;
    EXPECT_EQ(std::filesystem::exists(unfinished), kept) << c.properties;
    if (kept) {
      EXPECT_EQ(Model::load(unfinished).info().frames, c.frames);
    }
    EXPECT_EQ(std::filesystem::file_size(file), 11U) << c.properties;
  }
  std::filesystem::remove(file);
  std::ofstream(unfinished) << "";
  const auto element = make_element("model-file=" + file);
  const Owned<GstBus> bus(gst_element_get_bus(element.get()));
  gst_element_set_state(element.get(), GST_STATE_PAUSED);
  const auto failures = failures_on(bus.get());
  ASSERT_EQ(failures.size(), 1U);
  EXPECT_NE(failures[0].text.find(unfinished), std::string::npos) << failures[0].text;
  gst_element_set_state(element.get(), GST_STATE_NULL);
}

// The operator decides when enough was seen.
TEST(FitTest, EndsAtFinishFit) {
  ElementHarness harness("mode=fit-then-detect overlay=0");
  harness.push_normal(0, 16);
  EXPECT_TRUE(emit(harness.element(), "finish-fit"));
  harness.push_normal(16, 1);
  EXPECT_FALSE(emit(harness.element(), "finish-fit"));
  const auto fitted = harness.wait_for("padim-fitted");
  ASSERT_TRUE(fitted);
  EXPECT_EQ(frames_of(fitted), 16U);
  const auto out = harness.run(17);
  ASSERT_TRUE(out);
  EXPECT_NE(gst_buffer_get_padim_meta(out.get()), nullptr);
}

// A finish that was promised is kept even where no frame follows it.
TEST(FitTest, HonoursFinishFitWhenStopped) {
  const TemporaryFolder folder;
  const std::string file = folder.file("stopped.padim");
  ElementHarness harness("mode=fit model-file=" + file);
  harness.push_normal(0, 14);
  EXPECT_TRUE(emit(harness.element(), "finish-fit"));
  gst_element_set_state(harness.element(), GST_STATE_NULL);
  EXPECT_EQ(Model::load(file).info().frames, 14);
}

// A seek in the middle of a fit keeps what was collected.
TEST(FitTest, KeepsItsStatisticsAcrossAFlush) {
  ElementHarness harness("mode=fit-then-detect");
  harness.push_normal(0, 10);
  harness.flush();
  harness.push_normal(10, 10);
  harness.send_eos();
  const auto fitted = harness.messages(GST_MESSAGE_ELEMENT, "padim-fitted");
  ASSERT_EQ(fitted.size(), 1U);
  EXPECT_EQ(frames_of(fitted[0]), 20U);
}

// READY forgets the collected frames.
TEST(FitTest, DropsItsStatisticsInReady) {
  const TemporaryFolder folder;
  const std::string file = folder.file("dropped.padim");
  ElementHarness harness("mode=fit model-file=" + file);
  harness.push_normal(0, 10);
  gst_element_set_state(harness.element(), GST_STATE_READY);
  gst_element_set_state(harness.element(), GST_STATE_PLAYING);
  harness.send_eos();
  EXPECT_EQ(harness.failures().size(), 1U);
  EXPECT_FALSE(std::filesystem::exists(file));
}

// The same picture in another format belongs to the same fit.
TEST(FitTest, GoesOnAfterACapsChange) {
  ElementHarness harness("mode=fit-then-detect");
  harness.push_normal(0, 10);
  Scene other = harness.scene();
  other.format = "RGBx";
  other.framerate = "15/1";
  other.width /= 2;
  other.height /= 2;
  harness.set_scene(other);
  harness.push_normal(10, 10);
  harness.send_eos();
  const auto fitted = harness.messages(GST_MESSAGE_ELEMENT, "padim-fitted");
  ASSERT_EQ(fitted.size(), 1U);
  EXPECT_EQ(frames_of(fitted[0]), 20U);
}

// A second end of the stream finds nothing more to do.
TEST(FitTest, EndsOnceOnly) {
  ElementHarness harness("mode=fit-then-detect");
  harness.push_normal(0, 12);
  harness.send_eos();
  harness.send_eos();
  EXPECT_EQ(harness.messages(GST_MESSAGE_ELEMENT, "padim-fitted").size(), 1U);
  EXPECT_TRUE(harness.failures().empty());
}

// After fit-frames in mode fit, the rest of the stream passes; detect then goes on with the model in memory, and fit
// begins anew.
TEST(FitTest, ModesChangeWhilePlaying) {
  const TemporaryFolder folder;
  ElementHarness harness("mode=fit overlay=0 fit-frames=12 model-file=" + folder.file("live.padim"));
  harness.push_normal(0, 14);
  EXPECT_TRUE(harness.wait_for("padim-fitted"));
  harness.set("mode", "detect");
  auto out = harness.run(14);
  EXPECT_NE(gst_buffer_get_padim_meta(out.get()), nullptr);
  harness.set("mode", "off");
  out = harness.run(15);
  EXPECT_EQ(gst_buffer_get_padim_meta(out.get()), nullptr);
  harness.set("mode", "fit");
  harness.push_normal(16, 12);
  const auto fitted = harness.wait_for("padim-fitted");
  ASSERT_TRUE(fitted);
  EXPECT_EQ(frames_of(fitted), 12U);
}

// gst-launch prints progress: it starts once, goes on once a second and completes once.
TEST(FitTest, PostsProgress) {
  TestClock clock;
  ElementHarness harness("mode=fit-then-detect fit-frames=12");
  harness.push_normal(0, 6);
  clock.advance(GST_SECOND - 1);
  harness.push_normal(6, 1);
  clock.advance(1);
  harness.push_normal(7, 5);
  harness.send_eos();
  std::vector<GstProgressType> types;
  gchar* text = nullptr;
  for (const auto& message : harness.messages(GST_MESSAGE_PROGRESS)) {
    g_free(std::exchange(text, nullptr));
    gst_message_parse_progress(message.get(), &types.emplace_back(), nullptr, &text);
  }
  EXPECT_EQ(types, (std::vector{GST_PROGRESS_TYPE_START, GST_PROGRESS_TYPE_CONTINUE, GST_PROGRESS_TYPE_COMPLETE}));
  ASSERT_NE(text, nullptr);
  EXPECT_NE(std::string(text).find("12 frames"), std::string::npos) << text;
  g_free(text);
}

// The model in memory can be saved at any time after the fit.
TEST(FitTest, SaveModelWritesTheModelInMemory) {
  const TemporaryFolder folder;
  const std::string file = folder.file("saved.padim");
  ElementHarness harness("mode=fit-then-detect fit-frames=12");
  gboolean saved = TRUE;
  g_signal_emit_by_name(harness.element(), "save-model", file.c_str(), &saved);
  EXPECT_FALSE(saved);
  const auto warnings_before = harness.failures(GST_MESSAGE_WARNING);
  ASSERT_EQ(warnings_before.size(), 1U);
  EXPECT_EQ(warnings_before[0].code, GST_RESOURCE_ERROR_SETTINGS);
  harness.push_normal(0, 12);
  ASSERT_TRUE(harness.wait_for("padim-fitted"));
  g_signal_emit_by_name(harness.element(), "save-model", file.c_str(), &saved);
  EXPECT_TRUE(saved);
  EXPECT_EQ(Model::load(file).info().frames, 12);

  g_signal_emit_by_name(harness.element(), "save-model", folder.file("no/such/folder.padim").c_str(), &saved);
  EXPECT_FALSE(saved);
  const auto warnings = harness.failures(GST_MESSAGE_WARNING);
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_EQ(warnings[0].code, GST_RESOURCE_ERROR_OPEN_WRITE);
}

// What a fit is told is what its model records.
TEST(FitTest, FollowsItsSettings) {
  const TemporaryFolder folder;
  const std::string file = folder.file("settings.padim");
  {
    ElementHarness harness(
        "mode=fit grid=finest reduction=random dimensions=6 seed=3 input-size=192x144 relative-epsilon=0.2 "
        "search-radius=1 false-alarm-rate=0.05 batch-size=4 model-file=" +
        file);
    harness.push_normal(0, 13);
    harness.send_eos();
    for (const Failure& failure : harness.failures()) ADD_FAILURE() << failure.text;
  }
  const ModelInfo info = Model::load(file).info();
  EXPECT_EQ(info.grid, Grid::finest);
  EXPECT_EQ(info.reduction.kind, ReductionKind::random);
  EXPECT_EQ(info.reduction.seed, 3U);
  EXPECT_EQ(info.dimensions, 6);
  EXPECT_EQ(info.geometry.input, (Size{192, 144}));
  EXPECT_DOUBLE_EQ(info.relative_epsilon, 0.2);
  EXPECT_EQ(info.search_radius, 1);
  EXPECT_DOUBLE_EQ(info.calibration.false_alarm_rate, 0.05);
  EXPECT_EQ(info.frames, 13);
}

}  // namespace
}  // namespace padim::test
