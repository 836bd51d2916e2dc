#pragma once

#include <gst/video/video.h>

#include <cstdint>

#include "padim/detector.h"

namespace padim::gst {

/// Registers the custom meta "GstPadimMeta", once per process. It has no tags, so that format conversion and scaling
/// keep it. Fields: score, raw-score, threshold (gdouble), anomalous, reused (gboolean), inference-pts, frame-id
/// (guint64), model-id (string). Returns false where GStreamer refuses.
bool register_padim_meta();

struct PadimMetaContext {
  GstClockTime inference_pts;  ///< of the frame that the network saw
  bool reused;                 ///< the result of an earlier frame
  std::uint64_t frame_id;      ///< input frame, counted from 0
};

/// Attaches the frame's score. Throws internal where the meta is not registered. buffer must be writable.
void add_padim_meta(GstBuffer* buffer, const Detection& detection, const Model& model, const PadimMetaContext& context);

/// Attaches one region-of-interest meta of type "anomaly" for each region, with the parameters "padim" {score, area}
/// and ids from 0, by falling score. buffer must be writable.
void add_region_metas(GstBuffer* buffer, const Detection& detection);

}  // namespace padim::gst
