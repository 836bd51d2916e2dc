#pragma once

#include <gst/video/video.h>

#include <utility>

#include <opencv2/core.hpp>

#include "gst-common/owned.h"
#include "gst-common/videoframe.h"
#include "padim/image_view.h"

namespace padim::tool {

/// A copy of a frame that may be drawn on, in the frame's own format, held in memory that GStreamer can take on.
class FrameCopy {
 public:
  explicit FrameCopy(const ImageView& frame);

  /// Calls draw(MutableImageView).
  template <class Draw>
  void edit(Draw&& draw) {
    draw(gst::MappedFrame(info_, buffer_.get(), GST_MAP_READWRITE).mutable_view());
  }

  [[nodiscard]] const GstVideoInfo& info() const { return info_; }

  /// Gives the memory away; nothing else may be called afterwards.
  [[nodiscard]] gst::Owned<GstBuffer> take() { return std::move(buffer_); }

  /// The same picture as BGR, with the right matrix and range.
  [[nodiscard]] cv::Mat to_bgr();

 private:
  GstVideoInfo info_;
  gst::Owned<GstBuffer> buffer_;
};

}  // namespace padim::tool
