#include "io/frame_copy.h"

#include <cstddef>
#include <cstring>
#include <memory>

#include "io/gst_pipeline.h"
#include "padim/error.h"

namespace padim::tool {
namespace {

void copy_rows(const ImageView& from, const GstVideoInfo& info, const MutableImageView& to) {
  const bool packed422 = from.format == PixelFormat::yuy2 || from.format == PixelFormat::uyvy;
  for (int plane = 0; plane < plane_count(from.format); ++plane) {
    const auto i = static_cast<std::size_t>(plane);
    const int component = plane;  // the first one of each plane: Y, then U (or UV), then V
    const int bytes = packed422
                          ? (from.width + 1) / 2 * 4
                          : GST_VIDEO_INFO_COMP_WIDTH(&info, component) * GST_VIDEO_INFO_COMP_PSTRIDE(&info, component);
    for (int y = 0; y < GST_VIDEO_INFO_COMP_HEIGHT(&info, component); ++y) {
      std::memcpy(to.data[i] + y * to.stride[i], from.data[i] + y * from.stride[i], static_cast<std::size_t>(bytes));
    }
  }
}

}  // namespace

FrameCopy::FrameCopy(const ImageView& frame) : info_(gst::video_info(frame)) {
  start_gstreamer();
  buffer_.reset(gst_buffer_new_allocate(nullptr, info_.size, nullptr));
  if (!buffer_) throw Error(ErrorCode::internal, "cannot get memory for a copy of a frame");
  edit([&](const MutableImageView& pixels) { copy_rows(frame, info_, pixels); });
}

cv::Mat FrameCopy::to_bgr() {
  cv::Mat image(info_.height, info_.width, CV_8UC3);
  GstVideoInfo target;
  gst_video_info_set_format(&target, GST_VIDEO_FORMAT_BGR, static_cast<guint>(info_.width),
                            static_cast<guint>(info_.height));
  const gst::Owned<GstBuffer> buffer(gst_buffer_new_allocate(nullptr, target.size, nullptr));
  const std::unique_ptr<GstVideoConverter, decltype(&gst_video_converter_free)> converter(
      gst_video_converter_new(&info_, &target, nullptr), gst_video_converter_free);
  if (!buffer || !converter) throw Error(ErrorCode::internal, "cannot convert a frame to BGR");
  const gst::MappedFrame from(info_, buffer_.get(), GST_MAP_READ);
  gst::MappedFrame to(target, buffer.get(), GST_MAP_READWRITE);
  gst_video_converter_frame(converter.get(), from.frame(), to.frame());
  const MutableImageView pixels = to.mutable_view();
  cv::Mat(image.size(), CV_8UC3, pixels.data[0], static_cast<std::size_t>(pixels.stride[0])).copyTo(image);
  return image;
}

}  // namespace padim::tool
