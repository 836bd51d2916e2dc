#include <gtest/gtest.h>

#include <string>

#include "element_harness.h"
#include "gst/padim/gstpadimmeta.h"

namespace padim::test {
namespace {

double score_of(GstBuffer* buffer) {
  GstPadimMeta* meta = gst_buffer_get_padim_meta(buffer);
  return meta == nullptr ? -1 : gst_padim_meta_get_score(meta);
}

// A saved model tells a foreign object from normal footage.
TEST(DetectTest, ScoresWithASavedModel) {
  ElementHarness harness("overlay=0 model-file=" + fitted_model());
  for (int i = 100; i < 110; ++i) {
    const auto out = harness.run(i);
    ASSERT_TRUE(out);
    EXPECT_LT(score_of(out.get()), 0.5) << i;
  }
  const auto out = harness.run(110, Content::anomalous);
  EXPECT_GE(score_of(out.get()), 0.5);
  double last = 0;
  g_object_get(harness.element(), "last-score", &last, nullptr);
  EXPECT_DOUBLE_EQ(last, score_of(out.get()));
}

// A detection after the fit and one with the saved model are the same.
TEST(DetectTest, ScoresAsTheFitThatMadeTheModel) {
  ElementHarness saved("overlay=0 model-file=" + fitted_model());
  ElementHarness fresh("overlay=0 mode=fit-then-detect");
  fresh.push_normal(0, 24);
  EXPECT_TRUE(emit(fresh.element(), "finish-fit"));
  fresh.push_normal(24, 1);
  ASSERT_TRUE(fresh.wait_for("padim-fitted"));
  for (const Content content : {Content::normal, Content::anomalous}) {
    EXPECT_DOUBLE_EQ(score_of(saved.run(50, content).get()), score_of(fresh.run(50, content).get()));
  }
}

// The threshold moves while playing, and moves nothing but the verdict.
TEST(DetectTest, FollowsTheThreshold) {
  ElementHarness harness("overlay=0 model-file=" + fitted_model());
  const double score = score_of(harness.run(40, Content::anomalous).get());
  ASSERT_GT(score, 0.5);
  ASSERT_LT(score, 1.0);
  for (const double threshold : {0.0, score - 0.01, (score + 1) / 2, 1.0}) {
    g_object_set(harness.element(), "threshold", threshold, nullptr);
    const auto out = harness.run(40, Content::anomalous);
    GstPadimMeta* meta = gst_buffer_get_padim_meta(out.get());
    ASSERT_NE(meta, nullptr);
    EXPECT_EQ(gst_padim_meta_is_anomalous(meta) != FALSE, score >= threshold) << threshold;
    EXPECT_DOUBLE_EQ(gst_padim_meta_get_threshold(meta), threshold);
    EXPECT_DOUBLE_EQ(gst_padim_meta_get_score(meta), score);
  }
}

// The model describes itself as soon as it is loaded, and no longer after the stop.
TEST(DetectTest, ModelInfoIsJson) {
  ElementHarness harness("model-file=" + fitted_model());
  gchar* info = nullptr;
  g_object_get(harness.element(), "model-info", &info, nullptr);
  ASSERT_NE(info, nullptr);
  EXPECT_EQ(info[0], '{');
  EXPECT_NE(std::string(info).find("efficientnet_lite0"), std::string::npos);
  g_free(info);
  gst_element_set_state(harness.element(), GST_STATE_NULL);
  g_object_get(harness.element(), "model-info", &info, nullptr);
  EXPECT_EQ(info, nullptr);
}

// Another size, format or frame rate of the same picture goes on being scored.
TEST(DetectTest, FollowsCapsChangesOfTheSameShape) {
  ElementHarness harness("overlay=0 model-file=" + fitted_model());
  for (const auto& [format, divisor, rate] :
       {std::tuple("BGR", 1, "30/1"), std::tuple("NV12", 2, "15/1"), std::tuple("I420", 1, "0/1")}) {
    Scene scene;
    scene.format = format;
    scene.width /= divisor;
    scene.height /= divisor;
    scene.framerate = rate;
    harness.set_scene(scene);
    EXPECT_GE(score_of(harness.run(60, Content::anomalous).get()), 0.5) << format;
  }
  EXPECT_TRUE(harness.failures().empty());
}

// What is drawn is the settings' choice, live.
TEST(DetectTest, DrawsWhatTheOverlaySays) {
  ElementHarness harness("overlay=0 model-file=" + fitted_model());
  const auto plain = bytes_of(render(harness.scene(), 70, Content::anomalous).get());
  const auto drawn = [&](const char* overlay) {
    harness.set("overlay", overlay);
    return bytes_of(harness.run(70, Content::anomalous).get());
  };
  EXPECT_EQ(drawn("0"), plain);
  const auto heatmap = drawn("heatmap");
  EXPECT_NE(heatmap, plain);
  for (const char* part : {"contour", "boxes", "text"}) {
    const auto picture = drawn(part);
    EXPECT_NE(picture, plain) << part;
    EXPECT_NE(picture, heatmap) << part;
  }
  harness.set("colormap", "viridis");
  EXPECT_NE(drawn("heatmap"), heatmap);
  harness.set("overlay-opacity", "0");
  EXPECT_EQ(drawn("heatmap"), plain);
}

// A normal frame's pixels are untouched but for the caption.
TEST(DetectTest, LeavesNormalFramesAlone) {
  ElementHarness harness("overlay=heatmap+contour+boxes overlay-floor=0.49 model-file=" + fitted_model());
  const auto out = harness.run(80);
  EXPECT_TRUE(bytes_of(out.get()) == bytes_of(render(harness.scene(), 80).get()));
}

}  // namespace
}  // namespace padim::test
