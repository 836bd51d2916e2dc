#include <gst/gst.h>

#include "gstpadimfilter.h"

static gboolean plugin_init(GstPlugin* plugin) { return gst_padim_filter_register(plugin); }

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, padim, "Anomaly detection with PaDiM", plugin_init,
                  PADIM_VERSION, "MIT/X11", PACKAGE, "https://arxiv.org/abs/2011.08785")
