#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <tuple>
#include <vector>

#include "element_harness.h"
#include "padim/model.h"

namespace padim::test {
namespace {

/// A picture as PGM: white, and black where `dark` is.
void write_mask(const std::string& file, int width, int height, const GstVideoRectangle& dark) {
  std::ofstream out(file, std::ios::binary);
  out << "P5\n" << width << " " << height << "\n255\n";
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const bool inside = x >= dark.x && x < dark.x + dark.w && y >= dark.y && y < dark.y + dark.h;
      out.put(inside ? '\0' : '\xFF');
    }
  }
}

/// The object of the anomalous frames with a margin: what a smoothed map says about it lies inside.
GstVideoRectangle around_object(const Scene& scene) {
  const GstVideoRectangle object = object_of(scene);
  return {object.x - 30, object.y - 30, object.w + 60, object.h + 60};
}

void expect_on_object(GstBuffer* buffer, const Scene& scene) {
  const auto* roi = gst_buffer_get_video_region_of_interest_meta_id(buffer, 0);
  ASSERT_NE(roi, nullptr);
  const GstVideoRectangle object = object_of(scene);
  EXPECT_NEAR(static_cast<int>(roi->x + roi->w / 2), object.x + object.w / 2, 12);
  EXPECT_NEAR(static_cast<int>(roi->y + roi->h / 2), object.y + object.h / 2, 12);
}

class LookTest : public testing::TestWithParam<const char*> {
 protected:
  [[nodiscard]] static Scene scene() {
    Scene scene;
    scene.format = GetParam();
    scene.width = 385;
    scene.height = 289;
    scene.padding = 24;
    return scene;
  }
};

// What lies in the ROI is found where it is in the frame, at odd offsets too; what lies outside is not looked at.
TEST_P(LookTest, RoiDecides) {
  for (const auto& [roi, sees] : {std::pair("roi=151,101,221,171", true), std::pair("roi=0.3,0.3,0.65,0.65", true),
                                  std::pair("roi=1,3,183,253", false)}) {
    ElementHarness harness(std::string("mode=fit-then-detect fit-frames=16 overlay=heatmap overlay-floor=0.5 ") + roi,
                           scene());
    harness.push_normal(0, 16);
    ASSERT_TRUE(harness.wait_for("padim-fitted"));
    const auto before = bytes_of(render(scene(), 31, Content::anomalous).get());
    const auto out = harness.run(31, Content::anomalous);
    for (const Failure& failure : harness.failures()) ADD_FAILURE() << failure.text;
    ASSERT_TRUE(out);
    EXPECT_EQ(count_regions(out.get()) > 0, sees) << roi;
    EXPECT_EQ(bytes_of(out.get()) != before, sees) << roi;
    if (sees) expect_on_object(out.get(), scene());
  }
}

// What a mask ignores never alarms and is never drawn on; the rest is found where it is.
TEST_P(LookTest, MaskDecides) {
  const TemporaryFolder folder;
  const std::string mask = folder.file("mask.pgm");
  const Scene scene = LookTest::scene();
  for (const auto& [dark, sees] :
       {std::pair(around_object(scene), false), std::pair(GstVideoRectangle{10, 10, 100, 100}, true)}) {
    write_mask(mask, scene.width, scene.height, dark);
    ElementHarness harness("mode=fit-then-detect fit-frames=16 overlay=heatmap overlay-floor=0.5 mask-file=" + mask,
                           scene);
    harness.push_normal(0, 16);
    ASSERT_TRUE(harness.wait_for("padim-fitted"));
    const auto before = bytes_of(render(scene, 31, Content::anomalous).get());
    const auto out = harness.run(31, Content::anomalous);
    for (const Failure& failure : harness.failures()) ADD_FAILURE() << failure.text;
    ASSERT_TRUE(out);
    EXPECT_EQ(count_regions(out.get()) > 0, sees);
    EXPECT_EQ(bytes_of(out.get()) != before, sees);
    if (sees) expect_on_object(out.get(), scene);
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, LookTest, testing::Values("NV12", "I420", "YUY2", "UYVY", "BGR", "RGBx", "GRAY8"));

// A fit records both, and a detection obeys without being told.
TEST(LookModelTest, DetectionDoesWhatTheFitDid) {
  const TemporaryFolder folder;
  const std::string model = folder.file("look.padim");
  const Scene scene;
  write_mask(folder.file("mask.pgm"), 96, 72,
             {around_object(scene).x / 4, around_object(scene).y / 4, around_object(scene).w / 4 + 1,
              around_object(scene).h / 4 + 1});
  {
    ElementHarness fit("mode=fit roi=60,40,300,240 model-file=" + model + " mask-file=" + folder.file("mask.pgm"));
    fit.push_normal(0, 16);
    EXPECT_TRUE(fit.send_eos());
  }
  EXPECT_EQ(Model::load(model).info().geometry.roi, (Rectangle{60, 40, 300, 240}));
  ElementHarness detect("overlay=0 model-file=" + model);
  EXPECT_EQ(count_regions(detect.run(31, Content::anomalous).get()), 0U);
  EXPECT_TRUE(ElementHarness("roi=60,40,300,240 model-file=" + model).run(0));  // the same again is no contradiction
}

// In mode detect a mask is applied on top of the model's: the quick remedy for a place that alarms.
TEST(LookModelTest, MaskNarrowsADetection) {
  const TemporaryFolder folder;
  const Scene scene;
  write_mask(folder.file("mask.pgm"), scene.width, scene.height, around_object(scene));
  ElementHarness plain("overlay=0 model-file=" + fitted_model());
  EXPECT_GT(count_regions(plain.run(31, Content::anomalous).get()), 0U);
  ElementHarness narrowed("overlay=0 model-file=" + fitted_model() + " mask-file=" + folder.file("mask.pgm"));
  EXPECT_EQ(count_regions(narrowed.run(31, Content::anomalous).get()), 0U);
}

// The mask is decoded at the start: what becomes of its file afterwards changes nothing, for whichever model.
TEST(LookModelTest, MaskFileMayGoWhileRunning) {
  const TemporaryFolder folder;
  const Scene scene;
  const std::string mask = folder.file("mask.pgm");
  const std::string model = folder.file("own.padim");
  write_mask(mask, scene.width, scene.height, around_object(scene));
  ElementHarness harness("mode=fit-then-detect fit-frames=16 overlay=0 model-file=" + model + " mask-file=" + mask);
  std::filesystem::remove(mask);
  harness.push_normal(0, 16);
  ASSERT_TRUE(harness.wait_for("padim-fitted"));
  EXPECT_EQ(count_regions(harness.run(31, Content::anomalous).get()), 0U) << "the fit's model";

  std::filesystem::copy_file(fitted_model(), model, std::filesystem::copy_options::overwrite_existing);
  EXPECT_TRUE(emit(harness.element(), "reload-model"));
  EXPECT_TRUE(step_until([&](int i) {
    EXPECT_NE(harness.run(32 + i), nullptr);
    return !harness.messages(GST_MESSAGE_ELEMENT, "padim-reloaded").empty();
  })) << "a model without a mask of its own";
  EXPECT_EQ(count_regions(harness.run(31, Content::anomalous).get()), 0U);

  EXPECT_TRUE(emit(harness.element(), "reset"));
  harness.set("mode", "fit-then-detect");
  harness.push_normal(0, 16);
  ASSERT_TRUE(harness.wait_for("padim-fitted"));
  EXPECT_EQ(count_regions(harness.run(31, Content::anomalous).get()), 0U) << "another fit";
}

void expect_failure(const std::vector<Failure>& failures, int code, const std::string& word) {
  ASSERT_EQ(failures.size(), 1U) << word;
  EXPECT_EQ(failures[0].domain, GST_RESOURCE_ERROR) << failures[0].text;
  EXPECT_EQ(failures[0].code, code) << failures[0].text;
  EXPECT_NE(failures[0].text.find(word), std::string::npos) << failures[0].text;
}

// What cannot be meant is one error at the start that names the value; what contradicts the model is one, too.
TEST(LookModelTest, UnusableValuesAreErrorsAtTheStart) {
  const TemporaryFolder folder;
  std::ofstream(folder.file("no-picture.png")) << "not a picture, but long enough for a file's type to be found out\n";
  const std::tuple<std::string, int, std::string> cases[] = {
      {"mode=fit-then-detect roi=1,2,3", GST_RESOURCE_ERROR_SETTINGS, "1,2,3"},
      {"mode=fit-then-detect mask-file=" + folder.file("absent.png"), GST_RESOURCE_ERROR_NOT_FOUND, "absent.png"},
      {"mode=fit-then-detect mask-file=" + folder.file("no-picture.png"), GST_RESOURCE_ERROR_OPEN_READ,
       "no-picture.png"},
      {"roi=10,10,100,100 model-file=" + fitted_model(), GST_RESOURCE_ERROR_SETTINGS, "10,10,100,100"},
      {"mask-file=" + folder.file("absent.png") + " model-file=" + fitted_model(), GST_RESOURCE_ERROR_NOT_FOUND,
       "absent.png"},
  };
  for (const auto& [settings, code, word] : cases) {
    const auto element = make_element(settings);
    const Owned<GstBus> bus(gst_element_get_bus(element.get()));
    EXPECT_EQ(gst_element_set_state(element.get(), GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE) << settings;
    expect_failure(failures_on(bus.get()), code, word);
    gst_element_set_state(element.get(), GST_STATE_NULL);
  }
}

// What does not fit the video is one with the first frame.
TEST(LookModelTest, WhatDoesNotFitTheVideoIsAnError) {
  const TemporaryFolder folder;
  write_mask(folder.file("square.pgm"), 64, 64, {0, 0, 10, 10});
  const std::pair<std::string, std::string> cases[] = {
      {"mode=fit-then-detect roi=300,200,200,50", "384x288"},
      {"mode=fit-then-detect mask-file=" + folder.file("square.pgm"), "64x64"},
  };
  for (const auto& [settings, word] : cases) {
    ElementHarness harness(settings);
    EXPECT_EQ(harness.push(0), GST_FLOW_ERROR);
    expect_failure(harness.failures(), GST_RESOURCE_ERROR_SETTINGS, word);
  }
}

// Regions are thinned by number and size while playing; an anomalous frame keeps its hottest.
TEST(LookModelTest, RegionsAreThinned) {
  ElementHarness harness("overlay=0 threshold=0.1 min-region-area=0 model-file=" + fitted_model());
  const auto count = [&] { return count_regions(harness.run(31, Content::anomalous).get()); };
  const guint all = count();
  ASSERT_GT(all, 1U);
  harness.set("max-regions", "1");
  EXPECT_EQ(count(), 1U);
  harness.set("max-regions", "64");
  harness.set("min-region-area", "1");
  EXPECT_EQ(count(), 1U);
  harness.set("min-region-area", "0");
  EXPECT_EQ(count(), all);
}

}  // namespace
}  // namespace padim::test
