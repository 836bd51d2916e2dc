#include "gst/padim/gstpadimmeta.h"

#include <gst/video/gstvideometa.h>

#include <vector>

namespace {

// Fields of the meta's structure.
constexpr char kScore[] = "score";
constexpr char kRawScore[] = "raw-score";
constexpr char kThreshold[] = "threshold";
constexpr char kAnomalous[] = "anomalous";
constexpr char kInferencePts[] = "inference-pts";
constexpr char kReused[] = "reused";
constexpr char kFrameId[] = "frame-id";
constexpr char kModelId[] = "model-id";
constexpr char kScene[] = "scene";

// A region-of-interest meta of padimfilter.
constexpr char kRegionType[] = "anomaly";
constexpr char kRegionParameters[] = "padim";
constexpr char kArea[] = "area";

// Another copy of this library in the process may have come first.
const GstMetaInfo* register_meta() {
  if (const GstMetaInfo* info = gst_meta_get_info(GST_PADIM_META_NAME)) return info;
  static const gchar* no_tags[] = {nullptr};
  return gst_meta_register_custom(GST_PADIM_META_NAME, no_tags, nullptr, nullptr, nullptr);
}

const GstStructure* structure_of(GstPadimMeta* meta) {
  return gst_custom_meta_get_structure(reinterpret_cast<GstCustomMeta*>(meta));
}

gdouble double_field(const GstStructure* structure, const char* name) {
  gdouble value = 0;
  if (structure != nullptr) gst_structure_get_double(structure, name, &value);
  return value;
}

gboolean boolean_field(GstPadimMeta* meta, const char* name) {
  gboolean value = FALSE;
  gst_structure_get_boolean(structure_of(meta), name, &value);
  return value;
}

guint64 uint64_field(GstPadimMeta* meta, const char* name, guint64 otherwise) {
  guint64 value = otherwise;
  gst_structure_get_uint64(structure_of(meta), name, &value);
  return value;
}

// What padimfilter wrote about a region, and videoscale has scaled along.
GstPadimRegion region_of(const GstVideoRegionOfInterestMeta* meta) {
  const GstStructure* parameters =
      gst_video_region_of_interest_meta_get_param(const_cast<GstVideoRegionOfInterestMeta*>(meta), kRegionParameters);
  return {meta->x, meta->y, meta->w, meta->h, double_field(parameters, kScore), double_field(parameters, kArea)};
}

std::vector<GstPadimRegion> regions_of(GstBuffer* buffer) {
  static const GQuark type = g_quark_from_static_string(kRegionType);
  std::vector<GstPadimRegion> regions;
  gpointer state = nullptr;
  while (GstMeta* meta = gst_buffer_iterate_meta_filtered(buffer, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE)) {
    const auto* region = reinterpret_cast<const GstVideoRegionOfInterestMeta*>(meta);
    if (region->roi_type == type) regions.push_back(region_of(region));
  }
  return regions;
}

}  // namespace

const GstMetaInfo* gst_padim_meta_get_info() {
  static const GstMetaInfo* const info = register_meta();
  return info;
}

GType gst_padim_meta_api_get_type() {
  const GstMetaInfo* info = gst_padim_meta_get_info();
  return info == nullptr ? G_TYPE_INVALID : info->api;
}

GstPadimMeta* gst_buffer_get_padim_meta(GstBuffer* buffer) {
  if (gst_padim_meta_get_info() == nullptr) return nullptr;
  return reinterpret_cast<GstPadimMeta*>(gst_buffer_get_custom_meta(buffer, GST_PADIM_META_NAME));
}

GstPadimRegion* gst_buffer_get_padim_regions(GstBuffer* buffer, guint* n_regions) {
  const std::vector<GstPadimRegion> regions = regions_of(buffer);
  *n_regions = static_cast<guint>(regions.size());
  return static_cast<GstPadimRegion*>(g_memdup2(regions.data(), regions.size() * sizeof(GstPadimRegion)));
}

GstPadimMeta* gst_buffer_add_padim_meta(GstBuffer* buffer, gdouble score, gdouble raw_score, gdouble threshold,
                                        gboolean anomalous, GstClockTime inference_pts, gboolean reused,
                                        guint64 frame_id, const gchar* model_id) {
  if (gst_padim_meta_get_info() == nullptr) return nullptr;
  GstCustomMeta* meta = gst_buffer_add_custom_meta(buffer, GST_PADIM_META_NAME);
  if (meta == nullptr) return nullptr;
  gst_structure_set(gst_custom_meta_get_structure(meta), kScore, G_TYPE_DOUBLE, score, kRawScore, G_TYPE_DOUBLE,
                    raw_score, kThreshold, G_TYPE_DOUBLE, threshold, kAnomalous, G_TYPE_BOOLEAN, anomalous,
                    kInferencePts, G_TYPE_UINT64, inference_pts, kReused, G_TYPE_BOOLEAN, reused, kFrameId,
                    G_TYPE_UINT64, frame_id, kModelId, G_TYPE_STRING, model_id, nullptr);
  return reinterpret_cast<GstPadimMeta*>(meta);
}

void gst_padim_meta_set_scene(GstPadimMeta* meta, const gchar* scene) {
  if (scene == nullptr) return;
  GstStructure* structure = gst_custom_meta_get_structure(reinterpret_cast<GstCustomMeta*>(meta));
  gst_structure_set(structure, kScene, G_TYPE_STRING, scene, nullptr);
}

gdouble gst_padim_meta_get_score(GstPadimMeta* meta) { return double_field(structure_of(meta), kScore); }

gdouble gst_padim_meta_get_raw_score(GstPadimMeta* meta) { return double_field(structure_of(meta), kRawScore); }

gdouble gst_padim_meta_get_threshold(GstPadimMeta* meta) { return double_field(structure_of(meta), kThreshold); }

gboolean gst_padim_meta_is_anomalous(GstPadimMeta* meta) { return boolean_field(meta, kAnomalous); }

GstClockTime gst_padim_meta_get_inference_pts(GstPadimMeta* meta) {
  return uint64_field(meta, kInferencePts, GST_CLOCK_TIME_NONE);
}

gboolean gst_padim_meta_is_reused(GstPadimMeta* meta) { return boolean_field(meta, kReused); }

guint64 gst_padim_meta_get_frame_id(GstPadimMeta* meta) { return uint64_field(meta, kFrameId, 0); }

const gchar* gst_padim_meta_get_model_id(GstPadimMeta* meta) {
  return gst_structure_get_string(structure_of(meta), kModelId);
}

const gchar* gst_padim_meta_get_scene(GstPadimMeta* meta) {
  return gst_structure_get_string(structure_of(meta), kScene);
}
