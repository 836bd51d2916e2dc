#pragma once

#include <string>

#include "padim/geometry.h"

namespace padim::gst {

/// Decodes a picture with GStreamer's own decoders: PNG, JPEG and whatever else is installed. Throws not_found,
/// cannot_read.
[[nodiscard]] Mask read_mask(const std::string& file);

}  // namespace padim::gst
