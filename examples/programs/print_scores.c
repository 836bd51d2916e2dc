/* Runs a pipeline with padimfilter and prints the score of every frame that reaches the element named "sink":
 *
 *   cc print_scores.c -o print_scores $(pkg-config --cflags --libs gstpadimmeta-1.0)
 *   ./print_scores "filesrc location=line.mp4 ! decodebin ! videoconvert
 *                   ! padimfilter model-file=part.padim overlay=0 ! fakesink name=sink"
 */
#include <gst/gst.h>
#include <gst/padim/gstpadimmeta.h>

static GstPadProbeReturn print_score(GstPad* pad, GstPadProbeInfo* info, gpointer unused) {
  GstBuffer* buffer = gst_pad_probe_info_get_buffer(info);
  GstPadimMeta* meta = gst_buffer_get_padim_meta(buffer);
  (void)pad;
  (void)unused;
  if (meta != NULL) {
    g_print("%" GST_TIME_FORMAT " %.3f %s\n", GST_TIME_ARGS(GST_BUFFER_PTS(buffer)), gst_padim_meta_get_score(meta),
            gst_padim_meta_is_anomalous(meta) ? "anomaly" : "normal");
  }
  return GST_PAD_PROBE_OK;
}

/* The end of the stream, or of all hope. */
static gboolean wait_for_end(GstElement* pipeline) {
  GstBus* bus = gst_element_get_bus(pipeline);
  GstMessage* message = gst_bus_timed_pop_filtered(bus, GST_CLOCK_TIME_NONE, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  gboolean good = GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS;
  if (!good) {
    GError* error = NULL;
    gst_message_parse_error(message, &error, NULL);
    g_printerr("%s\n", error->message);
    g_error_free(error);
  }
  gst_message_unref(message);
  gst_object_unref(bus);
  return good;
}

int main(int argc, char** argv) {
  GError* error = NULL;
  GstElement* pipeline;
  GstElement* sink;
  GstPad* pad;
  gboolean good;

  gst_init(&argc, &argv);
  if (argc != 2) {
    g_printerr("usage: %s \"... ! padimfilter ... ! fakesink name=sink\"\n", argv[0]);
    return 2;
  }
  pipeline = gst_parse_launch(argv[1], &error);
  sink = pipeline != NULL && GST_IS_BIN(pipeline) ? gst_bin_get_by_name(GST_BIN(pipeline), "sink") : NULL;
  if (error != NULL || sink == NULL) {
    g_printerr("%s\n", error != NULL ? error->message : "the pipeline has no element named sink");
    return 2;
  }
  pad = gst_element_get_static_pad(sink, "sink");
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, print_score, NULL, NULL);
  gst_object_unref(pad);
  gst_object_unref(sink);

  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  good = wait_for_end(pipeline);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
  return good ? 0 : 1;
}
