#pragma once

#include <gst/gst.h>

#include "base/output.h"

namespace padim::gst {

/// The files of all elements of the pipeline that have a property `location`.
[[nodiscard]] FileRoles roles_of_neighbours(GstElement* element);

}  // namespace padim::gst
