#include "gstpadimmeta.h"

#include "padim/error.h"

namespace padim::gst {
namespace {

constexpr char kMetaName[] = "GstPadimMeta";

}  // namespace

bool register_padim_meta() {
  static const gchar* tags[] = {nullptr};
  static const bool registered = gst_meta_get_info(kMetaName) != nullptr ||
                                 gst_meta_register_custom(kMetaName, tags, nullptr, nullptr, nullptr) != nullptr;
  return registered;
}

void add_padim_meta(GstBuffer* buffer, const Detection& detection, const Model& model,
                    const PadimMetaContext& context) {
  GstCustomMeta* meta = gst_buffer_add_custom_meta(buffer, kMetaName);
  if (meta == nullptr) throw Error(ErrorCode::internal, "cannot attach GstPadimMeta to a video buffer");
  gst_structure_set(gst_custom_meta_get_structure(meta), "score", G_TYPE_DOUBLE, detection.score, "raw-score",
                    G_TYPE_DOUBLE, detection.raw_score, "threshold", G_TYPE_DOUBLE, detection.threshold, "anomalous",
                    G_TYPE_BOOLEAN, static_cast<gboolean>(detection.anomalous), "inference-pts", G_TYPE_UINT64,
                    context.inference_pts, "reused", G_TYPE_BOOLEAN, static_cast<gboolean>(context.reused), "frame-id",
                    G_TYPE_UINT64, static_cast<guint64>(context.frame_id), "model-id", G_TYPE_STRING,
                    model.id().c_str(), nullptr);
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
