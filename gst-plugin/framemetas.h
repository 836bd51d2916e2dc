#pragma once

#include <gst/video/video.h>

#include <cstdint>

#include "padim/detector.h"
#include "padim/scene.h"

namespace padim::gst {

// What a scored frame carries. The buffer must be writable; each function throws internal where GStreamer refuses.

struct PadimMetaContext {
  GstClockTime inference_pts;  ///< of the frame that the network saw
  bool reused;                 ///< the result of an earlier frame
  std::uint64_t frame_id;      ///< input frame, counted from 0
  SceneCause scene;            ///< what the whole picture has changed to
};

/// Attaches GstPadimMeta: the frame's score.
void add_padim_meta(GstBuffer* buffer, const Detection& detection, const Model& model, const PadimMetaContext& context);

/// Attaches one region-of-interest meta of type "anomaly" for each region, with the parameters "padim" {score, area}
/// and ids from 0, by falling score.
void add_region_metas(GstBuffer* buffer, const Detection& detection);

/// Adds to the frame's GstAnalyticsRelationMeta a classification of the whole frame, "anomaly" with the score or
/// "normal" with 1 - score; one object of type "anomaly" for each region, by falling score; and, from GStreamer 1.26
/// on, for an anomalous frame a segmentation of the score map's part of the frame: 0 normal, 1 anomaly. Does nothing
/// where padim was built without GstAnalytics.
void add_analytics_meta(GstBuffer* buffer, const Detection& detection);

/// Attaches the score map as a GstTensorMeta: "padim-score-map", float32 [height, width], raw scores. Does nothing
/// where padim was built without GstAnalytics 1.26.
void add_tensor_meta(GstBuffer* buffer, const Detection& detection);

}  // namespace padim::gst
