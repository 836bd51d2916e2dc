#pragma once

#include <glib-object.h>

#include "padimsettings.h"

namespace padim::gst {

// GTypes of the properties' enumerations; the values are those of the C++ enumerations.
GType mode_type();
GType precision_type();
GType grid_type();
GType reduction_type();
GType geometry_type();
GType source_type();
GType augment_kind_type();
GType outliers_type();
GType colormap_type();
GType post_messages_type();
GType late_policy_type();
GType output_type();
GType overlay_type();
GType overlay_text_type();
GType attach_meta_type();

/// What the property mode says.
const char* nick_of(Mode mode);

}  // namespace padim::gst
