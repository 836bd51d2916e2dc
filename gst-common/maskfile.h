#pragma once

#include <filesystem>

#include "padim/geometry.h"

namespace padim::gst {

/// A picture whose dark and transparent places are ignored, decoded with GStreamer, which must have been started: PNG,
/// JPEG, BMP, TIFF and whatever else has a decoder here. The pixels stay as they lie in the file, whatever its EXIF
/// orientation says. Throws not_found, cannot_read; the latter also where the brightest place is dark, but not black: a
/// picture of labels.
[[nodiscard]] MaskPicture read_mask(const std::filesystem::path& file);

}  // namespace padim::gst
