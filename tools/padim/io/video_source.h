#pragma once

#include <memory>
#include <string>

#include "io/frame_source.h"

namespace padim::tool {

/// Decodes a video file, a camera, an address or a GStreamer line (see SourceForm) in the background, a few frames
/// ahead, and hands its frames out in the decoder's own pixel format where padim reads it (as the element does: the
/// scores are the same), else converted. Throws bad_format or unsupported where there is nothing to decode or no
/// decoder.
///
/// A live source does not wait: frames that come faster than they are asked for are passed over. Where it ends by
/// itself, fails or gives no frame for too long, that is said, and it is lost() or, with `reconnect`, opened again:
/// times go on as the clock does. Anything else that gives no frame for too long is an error.
[[nodiscard]] std::unique_ptr<FrameSource> open_video(const std::string& name, const SourceOptions& options);

}  // namespace padim::tool
