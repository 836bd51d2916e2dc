#include "framemetas.h"

#include "gst/padim/gstpadimmeta.h"
#include "padim/error.h"

namespace padim::gst {

void add_padim_meta(GstBuffer* buffer, const Detection& detection, const Model& model,
                    const PadimMetaContext& context) {
  GstPadimMeta* meta = gst_buffer_add_padim_meta(
      buffer, detection.score, detection.raw_score, detection.threshold, static_cast<gboolean>(detection.anomalous),
      context.inference_pts, static_cast<gboolean>(context.reused), context.frame_id, model.id().c_str());
  if (meta == nullptr) throw Error(ErrorCode::internal, "cannot attach GstPadimMeta to a video buffer");
  if (context.scene != SceneCause::none) gst_padim_meta_set_scene(meta, to_string(context.scene).c_str());
}

void add_region_metas(GstBuffer* buffer, const Detection& detection) {
  gint id = 0;
  for (const Region& region : detection.regions) {
    auto* meta = gst_buffer_add_video_region_of_interest_meta(
        buffer, "anomaly", static_cast<guint>(region.x), static_cast<guint>(region.y), static_cast<guint>(region.width),
        static_cast<guint>(region.height));
    meta->id = id++;
    gst_video_region_of_interest_meta_add_param(meta, gst_structure_new("padim", "score", G_TYPE_DOUBLE, region.score,
                                                                        "area", G_TYPE_DOUBLE, region.area, nullptr));
  }
}

}  // namespace padim::gst
