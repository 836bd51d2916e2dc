#include <gtest/gtest.h>

#include <string>
#include <tuple>

#include "element_harness.h"

namespace padim::test {
namespace {

class FormatsTest : public testing::TestWithParam<std::tuple<const char*, std::pair<int, int>, int>> {
 protected:
  [[nodiscard]] static Scene scene() {
    Scene scene;
    std::pair<int, int> size;
    std::tie(scene.format, size, scene.padding) = GetParam();
    std::tie(scene.width, scene.height) = size;
    return scene;
  }
};

// In every format, odd sizes and padded rows included: a fit on normal frames, a verdict on both kinds, marks on the
// object, and not one byte of filler changed.
TEST_P(FormatsTest, FitsDetectsAndDraws) {
  ElementHarness harness("mode=fit-then-detect fit-frames=16 overlay=heatmap+contour+boxes overlay-floor=0.5", scene());
  harness.push_normal(0, 16);
  ASSERT_TRUE(harness.wait_for("padim-fitted"));

  const auto normal = harness.run(30);
  ASSERT_TRUE(normal);
  EXPECT_TRUE(bytes_of(normal.get()) == bytes_of(render(scene(), 30).get()));

  const auto before = bytes_of(render(scene(), 31, Content::anomalous).get());
  const auto out = harness.run(31, Content::anomalous);
  ASSERT_TRUE(out);
  const auto after = bytes_of(out.get());
  ASSERT_EQ(after.size(), before.size());
  const auto is_pixel = pixel_bytes(scene());
  std::size_t changed_pixels = 0;
  std::size_t changed_filler = 0;
  for (std::size_t i = 0; i < after.size(); ++i) {
    if (after[i] != before[i]) ++(is_pixel[i] ? changed_pixels : changed_filler);
  }
  EXPECT_GT(changed_pixels, 100U);
  EXPECT_EQ(changed_filler, 0U);
}

// The marked region lies on the object, whatever the format.
TEST_P(FormatsTest, FindsTheObjectWhereItIs) {
  ElementHarness harness("mode=fit-then-detect fit-frames=16", scene());
  harness.push_normal(0, 16);
  ASSERT_TRUE(harness.wait_for("padim-fitted"));
  const auto out = harness.run(31, Content::anomalous);
  ASSERT_TRUE(out);
  const auto* roi = gst_buffer_get_video_region_of_interest_meta_id(out.get(), 0);
  ASSERT_NE(roi, nullptr);
  const GstVideoRectangle object = object_of(scene());
  const int left = std::max(object.x, static_cast<int>(roi->x));
  const int top = std::max(object.y, static_cast<int>(roi->y));
  const int right = std::min(object.x + object.w, static_cast<int>(roi->x + roi->w));
  const int bottom = std::min(object.y + object.h, static_cast<int>(roi->y + roi->h));
  ASSERT_GT(right, left);
  ASSERT_GT(bottom, top);
  EXPECT_GT((right - left) * (bottom - top), object.w * object.h / 2);
}

std::string case_name(const testing::TestParamInfo<FormatsTest::ParamType>& parameter) {
  const auto& [format, size, padding] = parameter.param;
  return std::string(format) + "_" + std::to_string(size.first) + "x" + std::to_string(size.second) + "_pad" +
         std::to_string(padding);
}

INSTANTIATE_TEST_SUITE_P(All, FormatsTest,
                         testing::Combine(testing::Values("NV12", "I420", "YUY2", "UYVY", "BGR", "BGRx", "BGRA", "RGB",
                                                          "RGBx", "RGBA", "GRAY8"),
                                          testing::Values(std::pair(384, 288), std::pair(385, 289),
                                                          std::pair(385, 385)),
                                          testing::Values(0, 40)),
                         case_name);

// Other formats are refused by negotiation, not by an error of this element.
TEST(FormatsTemplateTest, AcceptsExactlyItsFormats) {
  const auto element = make_element("mode=off");
  const Owned<GstCaps> caps(gst_pad_query_caps(GST_BASE_TRANSFORM_SINK_PAD(element.get()), nullptr));
  for (const auto& [format, accepted] : {std::pair("NV12", true), std::pair("GRAY8", true), std::pair("RGBA", true),
                                         std::pair("NV21", false), std::pair("GRAY16_LE", false)}) {
    const Owned<GstCaps> one(
        gst_caps_from_string((std::string("video/x-raw,width=64,height=64,framerate=30/1,format=") + format).c_str()));
    EXPECT_EQ(gst_caps_can_intersect(caps.get(), one.get()) != FALSE, accepted) << format;
  }
}

}  // namespace
}  // namespace padim::test
