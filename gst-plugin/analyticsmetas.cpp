// GstAnalytics came with GStreamer 1.24, its segmentation and tensors with 1.26; whatever is missing is left out.

#include "framemetas.h"
#include "padim/error.h"

#ifdef PADIM_HAVE_ANALYTICS
#include <gst/analytics/analytics.h>

#include <algorithm>
#include <cmath>
#endif

namespace padim::gst {

#ifdef PADIM_HAVE_ANALYTICS

namespace {

void require(bool added, const char* what) {
  if (!added) throw Error(ErrorCode::internal, std::string("cannot attach ") + what + " to a video buffer");
}

// One relation meta per buffer: an element in front may have begun it.
GstAnalyticsRelationMeta* relation_meta(GstBuffer* buffer) {
  GstAnalyticsRelationMeta* meta = gst_buffer_get_analytics_relation_meta(buffer);
  return meta != nullptr ? meta : gst_buffer_add_analytics_relation_meta(buffer);
}

void add_classification(GstAnalyticsRelationMeta* meta, const Detection& detection) {
  const GQuark quark = g_quark_from_static_string(detection.anomalous ? "anomaly" : "normal");
  const double confidence = detection.anomalous ? detection.score : 1 - detection.score;
  GstAnalyticsClsMtd classification;
  require(gst_analytics_relation_meta_add_one_cls_mtd(meta, static_cast<gfloat>(confidence), quark, &classification),
          "a GstAnalytics classification");
}

void add_object(GstAnalyticsRelationMeta* meta, const Region& region) {
  GstAnalyticsODMtd object;
  require(
      gst_analytics_relation_meta_add_od_mtd(meta, g_quark_from_static_string("anomaly"), region.x, region.y,
                                             region.width, region.height, static_cast<gfloat>(region.score), &object),
      "a GstAnalytics object");
}

#if GST_CHECK_VERSION(1, 26, 0)

constexpr char kTensorName[] = "padim-score-map";

// The map's pixels that reach the threshold, as a picture of region ids.
GstBuffer* new_mask(const Detection& detection) {
  const ScoreMap& map = detection.map;
  GstBuffer* mask = gst_buffer_new_allocate(nullptr, map.values.size(), nullptr);
  gst_buffer_add_video_meta(mask, GST_VIDEO_FRAME_FLAG_NONE, GST_VIDEO_FORMAT_GRAY8, static_cast<guint>(map.width),
                            static_cast<guint>(map.height));
  const double threshold = raw_score(detection.threshold, detection.calibrated_threshold);
  GstMapInfo bytes;
  require(gst_buffer_map(mask, &bytes, GST_MAP_WRITE), "a GstAnalytics segmentation");
  std::transform(map.values.begin(), map.values.end(), bytes.data,
                 [&](float raw) { return static_cast<guint8>(static_cast<double>(raw) >= threshold ? 1 : 0); });
  gst_buffer_unmap(mask, &bytes);
  return mask;
}

void add_segmentation(GstAnalyticsRelationMeta* meta, const Detection& detection) {
  const FrameMapping& at = detection.mapping;
  guint ids[] = {0, 1};
  GstAnalyticsSegmentationMtd segmentation;
  require(gst_analytics_relation_meta_add_segmentation_mtd(
              meta, new_mask(detection), GST_SEGMENTATION_TYPE_SEMANTIC, G_N_ELEMENTS(ids), ids,
              static_cast<gint>(std::lround(at.offset_x)), static_cast<gint>(std::lround(at.offset_y)),
              static_cast<guint>(std::lround(at.scale_x * detection.map.width)),
              static_cast<guint>(std::lround(at.scale_y * detection.map.height)), &segmentation),
          "a GstAnalytics segmentation");
}

#endif

}  // namespace

void add_analytics_meta(GstBuffer* buffer, const Detection& detection) {
  GstAnalyticsRelationMeta* meta = relation_meta(buffer);
  require(meta != nullptr, "GstAnalyticsRelationMeta");
  add_classification(meta, detection);
  for (const Region& region : detection.regions) add_object(meta, region);
#if GST_CHECK_VERSION(1, 26, 0)
  if (detection.anomalous) add_segmentation(meta, detection);
#endif
}

#else

void add_analytics_meta(GstBuffer*, const Detection&) {}

#endif

#if defined(PADIM_HAVE_ANALYTICS) && GST_CHECK_VERSION(1, 26, 0)

void add_tensor_meta(GstBuffer* buffer, const Detection& detection) {
  const ScoreMap& map = detection.map;
  const gsize bytes = map.values.size() * sizeof(float);
  GstBuffer* data = gst_buffer_new_memdup(map.values.data(), bytes);
  gsize dimensions[] = {static_cast<gsize>(map.height), static_cast<gsize>(map.width)};
  auto** tensors = g_new(GstTensor*, 1);
  tensors[0] = gst_tensor_new_simple(g_quark_from_static_string(kTensorName), GST_TENSOR_DATA_TYPE_FLOAT32, data,
                                     GST_TENSOR_DIM_ORDER_ROW_MAJOR, G_N_ELEMENTS(dimensions), dimensions);
  gst_tensor_meta_set(gst_buffer_add_tensor_meta(buffer), 1, tensors);
}

#else

void add_tensor_meta(GstBuffer*, const Detection&) {}

#endif

}  // namespace padim::gst
