#pragma once

#include <gst/gst.h>

// The element's debug category, "padimfilter", is that of every GST_*_OBJECT in a file that includes this. What
// libpadim says goes to a category of its own, "padim".
GST_DEBUG_CATEGORY_EXTERN(padimfilter_debug);
#define GST_CAT_DEFAULT padimfilter_debug

namespace padim::gst {

/// To be called before anything is logged.
void init_debug_categories();

}  // namespace padim::gst
