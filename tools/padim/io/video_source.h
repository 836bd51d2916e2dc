#pragma once

#include <filesystem>
#include <memory>

#include "io/frame_source.h"

namespace padim::tool {

/// Decodes a video in the background, a few frames ahead, and hands its frames out in the decoder's own pixel format
/// where padim reads it (as the element does: the scores are the same), else converted. Throws bad_format or
/// unsupported where there is nothing to decode or no decoder.
[[nodiscard]] std::unique_ptr<FrameSource> open_video(const std::filesystem::path& file);

}  // namespace padim::tool
