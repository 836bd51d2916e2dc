#pragma once

#include <gst/video/video.h>

#include <utility>

#include <opencv2/core.hpp>

#include "io/frame_source.h"
#include "io/gst_pipeline.h"
#include "padim/image_view.h"

namespace padim::tool {

/// How GStreamer describes frames like `view`: size, format, matrix and range.
[[nodiscard]] GstVideoInfo video_info_of(const ImageView& view);

/// A copy of a frame that may be drawn on, in the frame's own format, held in memory that GStreamer can take on.
class FrameCopy {
 public:
  explicit FrameCopy(const ImageView& frame);

  /// Calls draw(MutableImageView).
  template <class Draw>
  void edit(Draw&& draw) {
    GstVideoFrame mapped = map();
    draw(pixels_of(mapped));
    gst_video_frame_unmap(&mapped);
  }

  [[nodiscard]] const GstVideoInfo& info() const { return info_; }

  /// Gives the memory away; nothing else may be called afterwards.
  [[nodiscard]] GstOwned<GstBuffer> take() { return std::move(buffer_); }

  /// The same picture as BGR, with the right matrix and range.
  [[nodiscard]] cv::Mat to_bgr();

 private:
  [[nodiscard]] GstVideoFrame map();
  [[nodiscard]] MutableImageView pixels_of(const GstVideoFrame& mapped) const;

  ImageView like_;  ///< format, matrix and range of the pixels; its addresses are not used
  GstVideoInfo info_;
  GstOwned<GstBuffer> buffer_;
};

}  // namespace padim::tool
