#pragma once

#include <gst/video/gstvideofilter.h>

#include "padimproperties.h"

G_BEGIN_DECLS

#define GST_TYPE_PADIM_FILTER (gst_padim_filter_get_type())
G_DECLARE_FINAL_TYPE(GstPadimFilter, gst_padim_filter, GST, PADIM_FILTER, GstVideoFilter)

/// Registers the element padimfilter; plugin may be null for an element of the process itself.
gboolean gst_padim_filter_register(GstPlugin* plugin);

G_END_DECLS

namespace padim::gst {

/// What its properties have set. Any thread.
[[nodiscard]] Settings settings_of(GstPadimFilter* element);

}  // namespace padim::gst
