#include "io/frame_copy.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "padim/error.h"

namespace padim::tool {
namespace {

GstVideoFormat video_format_of(PixelFormat format) {
  switch (format) {
    case PixelFormat::gray8:
      return GST_VIDEO_FORMAT_GRAY8;
    case PixelFormat::rgb:
      return GST_VIDEO_FORMAT_RGB;
    case PixelFormat::bgr:
      return GST_VIDEO_FORMAT_BGR;
    case PixelFormat::rgbx:
      return GST_VIDEO_FORMAT_RGBx;
    case PixelFormat::bgrx:
      return GST_VIDEO_FORMAT_BGRx;
    case PixelFormat::nv12:
      return GST_VIDEO_FORMAT_NV12;
    case PixelFormat::i420:
      return GST_VIDEO_FORMAT_I420;
    case PixelFormat::yuy2:
      return GST_VIDEO_FORMAT_YUY2;
    case PixelFormat::uyvy:
      return GST_VIDEO_FORMAT_UYVY;
  }
  throw Error(ErrorCode::internal, "a frame has a pixel format without a GStreamer name");
}

const char* colorimetry_of(YuvMatrix matrix) {
  switch (matrix) {
    case YuvMatrix::bt709:
      return GST_VIDEO_COLORIMETRY_BT709;
    case YuvMatrix::bt2020:
      return GST_VIDEO_COLORIMETRY_BT2020;
    default:
      return GST_VIDEO_COLORIMETRY_BT601;
  }
}

void copy_rows(const ImageView& from, const GstVideoFrame& to) {
  for (int plane = 0; plane < plane_count(from.format); ++plane) {
    const auto index = static_cast<std::size_t>(plane);
    // Tight length of a row: what GStreamer's default layout holds of it before rounding the stride up.
    const int component = plane;  // the first component of each plane: Y, then U (or UV), then V
    const int width = GST_VIDEO_FRAME_COMP_WIDTH(&to, component);
    const bool packed422 = from.format == PixelFormat::yuy2 || from.format == PixelFormat::uyvy;
    const int bytes = packed422 ? (from.width + 1) / 2 * 4 : width * GST_VIDEO_FRAME_COMP_PSTRIDE(&to, component);
    for (int y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT(&to, component); ++y) {
      std::memcpy(static_cast<std::uint8_t*>(to.data[plane]) + static_cast<std::ptrdiff_t>(y) * to.info.stride[plane],
                  from.data[index] + y * from.stride[index], static_cast<std::size_t>(bytes));
    }
  }
}

}  // namespace

GstVideoInfo video_info_of(const ImageView& view) {
  GstVideoInfo info;
  gst_video_info_set_format(&info, video_format_of(view.format), static_cast<guint>(view.width),
                            static_cast<guint>(view.height));
  if (is_yuv(view.format)) {
    gst_video_colorimetry_from_string(&info.colorimetry, colorimetry_of(view.matrix));
    info.colorimetry.range = view.range == YuvRange::full ? GST_VIDEO_COLOR_RANGE_0_255 : GST_VIDEO_COLOR_RANGE_16_235;
  }
  return info;
}

FrameCopy::FrameCopy(const ImageView& frame) : like_(frame), info_(video_info_of(frame)) {
  start_gstreamer();
  buffer_.reset(gst_buffer_new_allocate(nullptr, info_.size, nullptr));
  GstVideoFrame mapped = map();
  copy_rows(frame, mapped);
  gst_video_frame_unmap(&mapped);
}

GstVideoFrame FrameCopy::map() {
  GstVideoFrame mapped;
  if (buffer_ && gst_video_frame_map(&mapped, &info_, buffer_.get(), GST_MAP_READWRITE)) return mapped;
  throw Error(ErrorCode::internal, "cannot get memory for a copy of a frame");
}

MutableImageView FrameCopy::pixels_of(const GstVideoFrame& mapped) const {
  MutableImageView view{like_.format, like_.width, like_.height, {}, {}, like_.matrix, like_.range};
  for (int plane = 0; plane < plane_count(like_.format); ++plane) {
    view.data[static_cast<std::size_t>(plane)] = static_cast<std::uint8_t*>(mapped.data[plane]);
    view.stride[static_cast<std::size_t>(plane)] = mapped.info.stride[plane];
  }
  return view;
}

cv::Mat FrameCopy::to_bgr() {
  cv::Mat image(info_.height, info_.width, CV_8UC3);
  GstVideoInfo target;
  gst_video_info_set_format(&target, GST_VIDEO_FORMAT_BGR, static_cast<guint>(info_.width),
                            static_cast<guint>(info_.height));
  const GstOwned<GstBuffer> buffer(gst_buffer_new_allocate(nullptr, target.size, nullptr));
  const std::unique_ptr<GstVideoConverter, decltype(&gst_video_converter_free)> converter(
      gst_video_converter_new(&info_, &target, nullptr), gst_video_converter_free);
  GstVideoFrame from = map();
  GstVideoFrame to;
  if (converter && gst_video_frame_map(&to, &target, buffer.get(), GST_MAP_READWRITE)) {
    gst_video_converter_frame(converter.get(), &from, &to);
    cv::Mat(image.size(), CV_8UC3, to.data[0], static_cast<std::size_t>(to.info.stride[0])).copyTo(image);
    gst_video_frame_unmap(&to);
  }
  gst_video_frame_unmap(&from);
  return image;
}

}  // namespace padim::tool
