#ifndef GST_PADIM_META_H
#define GST_PADIM_META_H

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _GstPadimMeta GstPadimMeta;
typedef struct _GstPadimRegion GstPadimRegion;

/**
 * GstPadimMeta:
 * @meta: what all metas begin with
 *
 * The result of padimfilter for the frame it is attached to. It has no tags, so that conversion, scaling and encoding
 * in GStreamer keep it, and it holds nothing that such elements could make wrong: no coordinates.
 *
 * It is a #GstCustomMeta, whose structure programs read without this library: score, raw-score, threshold (gdouble),
 * anomalous, reused (gboolean), inference-pts, frame-id (guint64), model-id (string); while the whole picture has
 * changed, scene (string).
 *
 * All functions may be called from any thread once GStreamer is initialised. A meta lives as long as its buffer holds
 * it; what the functions return belongs to it, and nothing is copied.
 */
struct _GstPadimMeta {
  GstMeta meta;
};

/**
 * GstPadimRegion:
 * @x: left edge in pixels of the frame as it is now
 * @y: upper edge
 * @width: in pixels
 * @height: in pixels
 * @score: score of its highest point, threshold..1; 0 where an element since padimfilter has dropped it
 * @area: pixels of the scored frame that reach the threshold; 0 where an element since padimfilter has dropped it
 *
 * A place that reaches the threshold.
 */
struct _GstPadimRegion {
  guint x;
  guint y;
  guint width;
  guint height;
  gdouble score;
  gdouble area;
};

#define GST_PADIM_META_NAME "GstPadimMeta"
#define GST_PADIM_META_API_TYPE (gst_padim_meta_api_get_type())
#define GST_PADIM_META_INFO (gst_padim_meta_get_info())

/**
 * gst_padim_meta_api_get_type: (skip)
 *
 * The meta's API type, for gst_buffer_get_meta() and gst_buffer_iterate_meta_filtered().
 */
GType gst_padim_meta_api_get_type(void);

/**
 * gst_padim_meta_get_info: (skip)
 *
 * Registers the meta on the first call; NULL where GStreamer refuses.
 */
const GstMetaInfo* gst_padim_meta_get_info(void);

/**
 * gst_buffer_get_padim_meta:
 * @buffer: a #GstBuffer
 *
 * Returns: (transfer none) (nullable): the result attached to @buffer, or NULL: padimfilter did not score this frame,
 * or attach-meta lacks score
 */
GstPadimMeta* gst_buffer_get_padim_meta(GstBuffer* buffer);

/**
 * gst_buffer_get_padim_regions:
 * @buffer: a #GstBuffer
 * @n_regions: (out): how many there are
 *
 * The places that reach the threshold, the hottest first: what attach-meta=roi attached, wherever the elements since
 * have moved it.
 *
 * Returns: (array length=n_regions) (transfer full) (nullable): the regions, for g_free(); NULL where there are none
 */
GstPadimRegion* gst_buffer_get_padim_regions(GstBuffer* buffer, guint* n_regions);

/**
 * gst_buffer_add_padim_meta: (skip)
 * @buffer: a #GstBuffer that is writable
 * @score: see gst_padim_meta_get_score(), and so on
 * @model_id: is copied
 *
 * Attaches a result to @buffer. NULL where the meta could not be registered.
 */
GstPadimMeta* gst_buffer_add_padim_meta(GstBuffer* buffer, gdouble score, gdouble raw_score, gdouble threshold,
                                        gboolean anomalous, GstClockTime inference_pts, gboolean reused,
                                        guint64 frame_id, const gchar* model_id);

/**
 * gst_padim_meta_set_scene: (skip)
 * @meta: of a buffer that is writable
 * @scene: (nullable): see gst_padim_meta_get_scene(); is copied
 *
 * Says that the whole picture has changed.
 */
void gst_padim_meta_set_scene(GstPadimMeta* meta, const gchar* scene);

/**
 * gst_padim_meta_get_score:
 * @meta: a #GstPadimMeta
 *
 * Returns: anomaly score in [0, 1); 0.5 is the threshold that the fit calibrated
 */
gdouble gst_padim_meta_get_score(GstPadimMeta* meta);

/**
 * gst_padim_meta_get_raw_score:
 * @meta: a #GstPadimMeta
 *
 * Returns: the unbounded score behind it: the greatest smoothed Mahalanobis distance in the frame, >= 0
 */
gdouble gst_padim_meta_get_raw_score(GstPadimMeta* meta);

/**
 * gst_padim_meta_get_threshold:
 * @meta: a #GstPadimMeta
 *
 * Returns: the score from which this frame counted as anomalous: padimfilter's threshold at that time, 0..1
 */
gdouble gst_padim_meta_get_threshold(GstPadimMeta* meta);

/**
 * gst_padim_meta_is_anomalous:
 * @meta: a #GstPadimMeta
 *
 * Returns: TRUE where the score reached the threshold
 */
gboolean gst_padim_meta_is_anomalous(GstPadimMeta* meta);

/**
 * gst_padim_meta_get_inference_pts:
 * @meta: a #GstPadimMeta
 *
 * Returns: PTS in nanoseconds of the frame that was scored: this one's, or an earlier one's where the result was reused
 */
GstClockTime gst_padim_meta_get_inference_pts(GstPadimMeta* meta);

/**
 * gst_padim_meta_is_reused:
 * @meta: a #GstPadimMeta
 *
 * Returns: TRUE where the result is an earlier frame's: this one was too late, or inference-interval left it out
 */
gboolean gst_padim_meta_is_reused(GstPadimMeta* meta);

/**
 * gst_padim_meta_get_frame_id:
 * @meta: a #GstPadimMeta
 *
 * Returns: input frames of padimfilter before this one
 */
guint64 gst_padim_meta_get_frame_id(GstPadimMeta* meta);

/**
 * gst_padim_meta_get_model_id:
 * @meta: a #GstPadimMeta
 *
 * Returns: (transfer none): the model's id, as `padim info` prints it
 */
const gchar* gst_padim_meta_get_model_id(GstPadimMeta* meta);

/**
 * gst_padim_meta_get_scene:
 * @meta: a #GstPadimMeta
 *
 * Returns: (transfer none) (nullable): what a picture that has changed as a whole looks like: "black", "white",
 * "frozen", "covered", "defocused", "light" or "moved"; NULL where it shows the fitted scene. The score says little
 * while it does not
 */
const gchar* gst_padim_meta_get_scene(GstPadimMeta* meta);

G_END_DECLS

#endif
