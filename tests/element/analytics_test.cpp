#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "element_harness.h"
#include "gst/padim/gstpadimmeta.h"
#ifdef PADIM_HAVE_ANALYTICS
#include <gst/analytics/analytics.h>
#endif

namespace padim::test {
namespace {

#ifndef PADIM_HAVE_ANALYTICS

// Without GstAnalytics its flags are accepted and do nothing, so that one command line works everywhere.
TEST(AnalyticsTest, FlagsAreIgnoredWithoutGstAnalytics) {
  ElementHarness harness("overlay=0 attach-meta=score+analytics+tensor model-file=" + fitted_model());
  const auto out = harness.run(0, Content::anomalous);
  ASSERT_TRUE(out);
  EXPECT_NE(gst_buffer_get_padim_meta(out.get()), nullptr);
  EXPECT_TRUE(harness.failures().empty());
}

#else

/// The metadata of one type, in the order in which it was added.
std::vector<GstAnalyticsMtd> all_of(GstBuffer* buffer, GstAnalyticsMtdType type) {
  std::vector<GstAnalyticsMtd> found;
  GstAnalyticsRelationMeta* meta = gst_buffer_get_analytics_relation_meta(buffer);
  gpointer state = nullptr;
  GstAnalyticsMtd mtd;
  while (meta != nullptr && gst_analytics_relation_meta_iterate(meta, &state, type, &mtd)) found.push_back(mtd);
  return found;
}

// The whole frame has one class; its confidence is the score, or what is missing to 1 in a normal frame.
TEST(AnalyticsTest, ClassifiesTheFrame) {
  ElementHarness harness("overlay=0 model-file=" + fitted_model());
  for (const auto& [content, name] : {std::pair(Content::normal, "normal"), std::pair(Content::anomalous, "anomaly")}) {
    const auto out = harness.run(1, content);
    auto classes = all_of(out.get(), gst_analytics_cls_mtd_get_mtd_type());
    ASSERT_EQ(classes.size(), 1U);
    ASSERT_EQ(gst_analytics_cls_mtd_get_length(&classes[0]), 1U);
    EXPECT_STREQ(g_quark_to_string(gst_analytics_cls_mtd_get_quark(&classes[0], 0)), name);
    const double score = gst_padim_meta_get_score(gst_buffer_get_padim_meta(out.get()));
    EXPECT_NEAR(gst_analytics_cls_mtd_get_level(&classes[0], 0), content == Content::anomalous ? score : 1 - score,
                1e-6);
  }
}

// One object per region, where the region-of-interest metas are; none in a normal frame.
TEST(AnalyticsTest, HasAnObjectForEachRegion) {
  ElementHarness harness("overlay=0 model-file=" + fitted_model());
  EXPECT_TRUE(all_of(harness.run(1).get(), gst_analytics_od_mtd_get_mtd_type()).empty());
  const auto out = harness.run(2, Content::anomalous);
  auto objects = all_of(out.get(), gst_analytics_od_mtd_get_mtd_type());
  ASSERT_EQ(objects.size(), gst_buffer_get_n_meta(out.get(), GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE));
  for (std::size_t i = 0; i < objects.size(); ++i) {
    const auto* roi = gst_buffer_get_video_region_of_interest_meta_id(out.get(), static_cast<gint>(i));
    gint x, y, w, h;
    gfloat confidence;
    ASSERT_TRUE(gst_analytics_od_mtd_get_location(&objects[i], &x, &y, &w, &h, &confidence));
    EXPECT_STREQ(g_quark_to_string(gst_analytics_od_mtd_get_obj_type(&objects[i])), "anomaly");
    EXPECT_EQ(std::tuple(x, y, w, h), std::tuple(static_cast<gint>(roi->x), static_cast<gint>(roi->y),
                                                 static_cast<gint>(roi->w), static_cast<gint>(roi->h)));
    EXPECT_GE(confidence, 0.5F);
    EXPECT_LT(confidence, 1.0F);
  }
}

// attach-meta leaves out what it does not name, and what an element in front attached stays.
TEST(AnalyticsTest, JoinsWhatIsThereAlready) {
  ElementHarness harness("overlay=0 attach-meta=score model-file=" + fitted_model());
  EXPECT_EQ(gst_buffer_get_analytics_relation_meta(harness.run(1).get()), nullptr);
  harness.set("attach-meta", "analytics");
  Owned<GstBuffer> in = render(harness.scene(), 2);
  GstAnalyticsClsMtd other;
  ASSERT_TRUE(gst_analytics_relation_meta_add_one_cls_mtd(gst_buffer_add_analytics_relation_meta(in.get()), 0.5F,
                                                          g_quark_from_static_string("bottle"), &other));
  const auto out = harness.run(std::move(in));
  auto classes = all_of(out.get(), gst_analytics_cls_mtd_get_mtd_type());
  ASSERT_EQ(classes.size(), 2U);
  EXPECT_STREQ(g_quark_to_string(gst_analytics_cls_mtd_get_quark(&classes[0], 0)), "bottle");
  EXPECT_STREQ(g_quark_to_string(gst_analytics_cls_mtd_get_quark(&classes[1], 0)), "normal");
  EXPECT_EQ(gst_buffer_get_padim_meta(out.get()), nullptr);
}

#if GST_CHECK_VERSION(1, 26, 0)

// An anomalous frame says which of its pixels are anomalous.
TEST(AnalyticsTest, SegmentsAnomalousFrames) {
  ElementHarness harness("overlay=0 model-file=" + fitted_model());
  EXPECT_TRUE(all_of(harness.run(1).get(), gst_analytics_segmentation_mtd_get_mtd_type()).empty());
  const auto out = harness.run(2, Content::anomalous);
  auto segmentations = all_of(out.get(), gst_analytics_segmentation_mtd_get_mtd_type());
  ASSERT_EQ(segmentations.size(), 1U);
  gint x, y;
  guint w, h;
  const Owned<GstBuffer> mask(gst_analytics_segmentation_mtd_get_mask(&segmentations[0], &x, &y, &w, &h));
  EXPECT_EQ(std::tuple(x, y, w, h), std::tuple(0, 0, 384U, 288U));
  const GstVideoMeta* picture = gst_buffer_get_video_meta(mask.get());
  ASSERT_NE(picture, nullptr);
  const auto bytes = bytes_of(mask.get());
  const auto at = [&](int frame_x, int frame_y) {
    return bytes[static_cast<std::size_t>(frame_y) * picture->height / 288 * picture->width +
                 static_cast<std::size_t>(frame_x) * picture->width / 384];
  };
  const GstVideoRectangle object = object_of(harness.scene());
  EXPECT_EQ(at(object.x + object.w / 2, object.y + object.h / 2), 1);
  EXPECT_EQ(at(10, 10), 0);
  EXPECT_EQ(*std::max_element(bytes.begin(), bytes.end()), 1);
}

// The tensor is the raw score map: its maximum is the frame's raw score.
TEST(AnalyticsTest, TensorHoldsTheScoreMap) {
  ElementHarness harness("overlay=0 attach-meta=score+tensor model-file=" + fitted_model());
  const auto out = harness.run(2, Content::anomalous);
  GstTensorMeta* meta = gst_buffer_get_tensor_meta(out.get());
  ASSERT_NE(meta, nullptr);
  const gint index = gst_tensor_meta_get_index_from_id(meta, g_quark_from_static_string("padim-score-map"));
  ASSERT_EQ(index, 0);
  const GstTensor* tensor = gst_tensor_meta_get(meta, 0);
  ASSERT_EQ(tensor->data_type, GST_TENSOR_DATA_TYPE_FLOAT32);
  ASSERT_EQ(tensor->num_dims, 2U);
  const auto bytes = bytes_of(tensor->data);
  ASSERT_EQ(bytes.size(), tensor->dims[0] * tensor->dims[1] * sizeof(float));
  std::vector<float> values(bytes.size() / sizeof(float));
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<std::uint8_t*>(values.data()));
  EXPECT_EQ(static_cast<double>(*std::max_element(values.begin(), values.end())),
            gst_padim_meta_get_raw_score(gst_buffer_get_padim_meta(out.get())));
}

#endif
#endif

}  // namespace
}  // namespace padim::test
