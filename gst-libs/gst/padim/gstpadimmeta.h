#ifndef GST_PADIM_META_H
#define GST_PADIM_META_H

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * GstPadimMeta:
 *
 * The result of padimfilter for the frame it is attached to. It has no tags, so that conversion, scaling and encoding
 * in GStreamer keep it, and it holds nothing that such elements could make wrong: no coordinates.
 *
 * It is a #GstCustomMeta, whose structure programs in other languages read without this library: score, raw-score,
 * threshold (gdouble), anomalous, reused (gboolean), inference-pts, frame-id (guint64), model-id (string).
 *
 * All functions may be called from any thread once GStreamer is initialised. A meta lives as long as its buffer holds
 * it; what the functions return belongs to it, and nothing is copied.
 */
typedef GstCustomMeta GstPadimMeta;

#define GST_PADIM_META_NAME "GstPadimMeta"
#define GST_PADIM_META_API_TYPE (gst_padim_meta_api_get_type())
#define GST_PADIM_META_INFO (gst_padim_meta_get_info())

/** The meta's API type, for gst_buffer_get_meta() and gst_buffer_iterate_meta_filtered(). */
GType gst_padim_meta_api_get_type(void);

/** Registers the meta on the first call; NULL where GStreamer refuses. */
const GstMetaInfo* gst_padim_meta_get_info(void);

/** The result attached to @buffer, or NULL: padimfilter did not score this frame, or attach-meta lacks score. */
GstPadimMeta* gst_buffer_get_padim_meta(GstBuffer* buffer);

/**
 * Attaches a result to @buffer, which must be writable; see the functions below for the values. @model_id is copied.
 * NULL where the meta could not be registered.
 */
GstPadimMeta* gst_buffer_add_padim_meta(GstBuffer* buffer, gdouble score, gdouble raw_score, gdouble threshold,
                                        gboolean anomalous, GstClockTime inference_pts, gboolean reused,
                                        guint64 frame_id, const gchar* model_id);

/** Anomaly score in [0, 1); 0.5 is the threshold that the fit calibrated. */
gdouble gst_padim_meta_get_score(GstPadimMeta* meta);

/** The unbounded score behind it: the greatest smoothed Mahalanobis distance in the frame, >= 0. */
gdouble gst_padim_meta_get_raw_score(GstPadimMeta* meta);

/** The score from which this frame counted as anomalous: padimfilter's threshold at that time, 0..1. */
gdouble gst_padim_meta_get_threshold(GstPadimMeta* meta);

/** TRUE where the score reached the threshold. */
gboolean gst_padim_meta_is_anomalous(GstPadimMeta* meta);

/** PTS in nanoseconds of the frame that was scored: this one's, or an earlier one's where the result was reused. */
GstClockTime gst_padim_meta_get_inference_pts(GstPadimMeta* meta);

/** TRUE where the result is an earlier frame's: this one was too late, or inference-interval left it out. */
gboolean gst_padim_meta_is_reused(GstPadimMeta* meta);

/** Input frames of padimfilter before this one. */
guint64 gst_padim_meta_get_frame_id(GstPadimMeta* meta);

/** The model's id, as `padim info` prints it. */
const gchar* gst_padim_meta_get_model_id(GstPadimMeta* meta);

G_END_DECLS

#endif
