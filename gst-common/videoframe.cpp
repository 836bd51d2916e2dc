#include "gst-common/videoframe.h"

#include <string>

#include "padim/error.h"

namespace padim::gst {
namespace {

YuvMatrix yuv_matrix(const GstVideoInfo& info) {
  switch (info.colorimetry.matrix) {
    case GST_VIDEO_COLOR_MATRIX_BT709:
    case GST_VIDEO_COLOR_MATRIX_SMPTE240M:
      return YuvMatrix::bt709;
    case GST_VIDEO_COLOR_MATRIX_BT2020:
      return YuvMatrix::bt2020;
    case GST_VIDEO_COLOR_MATRIX_BT601:
    case GST_VIDEO_COLOR_MATRIX_FCC:
      return YuvMatrix::bt601;
    default:  // unlabelled video: standard definition is BT.601 by convention, anything taller BT.709
      return info.height > 576 ? YuvMatrix::bt709 : YuvMatrix::bt601;
  }
}

YuvRange yuv_range(const GstVideoInfo& info) {
  return info.colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255 ? YuvRange::full : YuvRange::limited;
}

MutableImageView view_of(const GstVideoFrame& frame, PixelFormat format) {
  MutableImageView view;
  view.format = format;
  view.width = frame.info.width;
  view.height = frame.info.height;
  view.matrix = yuv_matrix(frame.info);
  view.range = yuv_range(frame.info);
  for (std::size_t plane = 0; plane < static_cast<std::size_t>(plane_count(format)); ++plane) {
    view.data[plane] = static_cast<std::uint8_t*>(frame.data[plane]);
    view.stride[plane] = frame.info.stride[plane];
  }
  return view;
}

}  // namespace

std::optional<PixelFormat> pixel_format(GstVideoFormat format) {
  switch (format) {
    case GST_VIDEO_FORMAT_NV12:
      return PixelFormat::nv12;
    case GST_VIDEO_FORMAT_I420:
      return PixelFormat::i420;
    case GST_VIDEO_FORMAT_YUY2:
      return PixelFormat::yuy2;
    case GST_VIDEO_FORMAT_UYVY:
      return PixelFormat::uyvy;
    case GST_VIDEO_FORMAT_BGR:
      return PixelFormat::bgr;
    case GST_VIDEO_FORMAT_BGRx:
    case GST_VIDEO_FORMAT_BGRA:
      return PixelFormat::bgrx;
    case GST_VIDEO_FORMAT_RGB:
      return PixelFormat::rgb;
    case GST_VIDEO_FORMAT_RGBx:
    case GST_VIDEO_FORMAT_RGBA:
      return PixelFormat::rgbx;
    case GST_VIDEO_FORMAT_GRAY8:
      return PixelFormat::gray8;
    default:
      return std::nullopt;
  }
}

MappedFrame::MappedFrame(const GstVideoInfo& info, GstBuffer* buffer, GstMapFlags access) {
  const auto format = pixel_format(GST_VIDEO_INFO_FORMAT(&info));
  if (!format) {
    throw Error(ErrorCode::bad_format, std::string("cannot read video of format ") +
                                           gst_video_format_to_string(GST_VIDEO_INFO_FORMAT(&info)) +
                                           ": put a videoconvert in front");
  }
  const auto flags = static_cast<GstMapFlags>(static_cast<unsigned>(access) | GST_VIDEO_FRAME_MAP_FLAG_NO_REF);
  if (!gst_video_frame_map(&frame_, &info, buffer, flags)) {
    throw Error(ErrorCode::bad_format, "cannot map a video buffer of " + std::to_string(gst_buffer_get_size(buffer)) +
                                           " bytes as a frame of " + std::to_string(info.width) + "x" +
                                           std::to_string(info.height) + " " +
                                           gst_video_format_to_string(GST_VIDEO_INFO_FORMAT(&info)) + " (" +
                                           std::to_string(info.size) + " bytes): check the element in front");
  }
  pixels_ = view_of(frame_, *format);
}

MappedFrame::~MappedFrame() { gst_video_frame_unmap(&frame_); }

}  // namespace padim::gst
