#pragma once

#include <gst/video/video.h>

#include <optional>

#include "padim/error.h"
#include "padim/image_view.h"

namespace padim::gst {

/// Caps of every format that padim reads and draws on directly.
inline constexpr char kVideoCaps[] =
    GST_VIDEO_CAPS_MAKE("{ NV12, I420, YUY2, UYVY, BGR, BGRx, BGRA, RGB, RGBx, RGBA, GRAY8 }");

/// Nothing for a format outside kVideoCaps.
[[nodiscard]] std::optional<PixelFormat> pixel_format(GstVideoFormat format);

/// How GStreamer describes frames like `view`: size, format, matrix and range, and its own choice of strides.
[[nodiscard]] GstVideoInfo video_info(const ImageView& view);

/// A buffer that does not hold the frame that its caps say: cut off, for example.
class BrokenFrame : public Error {
 public:
  using Error::Error;
};

/// A video frame mapped for as long as this object lives. The buffer is not referenced, so that it stays writable: it
/// must outlive the frame.
class MappedFrame {
 public:
  /// access: GST_MAP_READ, or GST_MAP_READWRITE for a writable buffer (memory that others hold too is copied then).
  /// Throws BrokenFrame where the buffer does not hold a frame of `info`, wherever it says that the planes are,
  /// bad_format where its format is not one of ours.
  MappedFrame(const GstVideoInfo& info, GstBuffer* buffer, GstMapFlags access);
  ~MappedFrame();
  MappedFrame(const MappedFrame&) = delete;
  MappedFrame& operator=(const MappedFrame&) = delete;

  [[nodiscard]] ImageView view() const { return pixels_; }

  /// Only for a frame mapped GST_MAP_READWRITE.
  [[nodiscard]] MutableImageView mutable_view() { return pixels_; }

  /// For functions of GStreamer.
  [[nodiscard]] const GstVideoFrame* frame() const { return &frame_; }
  [[nodiscard]] GstVideoFrame* frame() { return &frame_; }

 private:
  GstVideoFrame frame_;
  MutableImageView pixels_;
};

}  // namespace padim::gst
