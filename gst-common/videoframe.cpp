#include "gst-common/videoframe.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <string>

#include "padim/error.h"

namespace padim::gst {
namespace {

struct Format {
  GstVideoFormat video;
  PixelFormat pixels;
};
// Of two that hold the same pixels the first is what a copy becomes: its fourth byte is nothing that anybody shows.
constexpr std::array kFormats = {
    Format{GST_VIDEO_FORMAT_NV12, PixelFormat::nv12},   Format{GST_VIDEO_FORMAT_I420, PixelFormat::i420},
    Format{GST_VIDEO_FORMAT_YUY2, PixelFormat::yuy2},   Format{GST_VIDEO_FORMAT_UYVY, PixelFormat::uyvy},
    Format{GST_VIDEO_FORMAT_BGR, PixelFormat::bgr},     Format{GST_VIDEO_FORMAT_BGRx, PixelFormat::bgrx},
    Format{GST_VIDEO_FORMAT_BGRA, PixelFormat::bgrx},   Format{GST_VIDEO_FORMAT_RGB, PixelFormat::rgb},
    Format{GST_VIDEO_FORMAT_RGBx, PixelFormat::rgbx},   Format{GST_VIDEO_FORMAT_RGBA, PixelFormat::rgbx},
    Format{GST_VIDEO_FORMAT_GRAY8, PixelFormat::gray8},
};

struct Matrix {
  GstVideoColorMatrix video;
  YuvMatrix pixels;
  const char* colorimetry;  ///< of frames that have the matrix
};
// The first of those that are alike to us is what a copy is labelled with.
constexpr std::array kMatrices = {
    Matrix{GST_VIDEO_COLOR_MATRIX_BT601, YuvMatrix::bt601, GST_VIDEO_COLORIMETRY_BT601},
    Matrix{GST_VIDEO_COLOR_MATRIX_FCC, YuvMatrix::bt601, nullptr},
    Matrix{GST_VIDEO_COLOR_MATRIX_BT709, YuvMatrix::bt709, GST_VIDEO_COLORIMETRY_BT709},
    Matrix{GST_VIDEO_COLOR_MATRIX_SMPTE240M, YuvMatrix::bt709, nullptr},
    Matrix{GST_VIDEO_COLOR_MATRIX_BT2020, YuvMatrix::bt2020, GST_VIDEO_COLORIMETRY_BT2020},
};

YuvMatrix yuv_matrix(const GstVideoInfo& info) {
  const auto* known = std::ranges::find(kMatrices, info.colorimetry.matrix, &Matrix::video);
  if (known != kMatrices.end()) return known->pixels;
  // Unlabelled video: standard definition is BT.601 by convention, anything taller BT.709.
  return info.height > 576 ? YuvMatrix::bt709 : YuvMatrix::bt601;
}

YuvRange yuv_range(const GstVideoInfo& info) {
  return info.colorimetry.range == GST_VIDEO_COLOR_RANGE_0_255 ? YuvRange::full : YuvRange::limited;
}

// GStreamer asserts what these two check, or believes it: the element in front may have got it wrong.
bool describes(const GstVideoMeta& meta, const GstVideoInfo& info) {
  return meta.format == GST_VIDEO_INFO_FORMAT(&info) && meta.n_planes == GST_VIDEO_INFO_N_PLANES(&info) &&
         meta.width >= static_cast<guint>(info.width) && meta.height >= static_cast<guint>(info.height);
}

// Whether all of a plane's rows lie in the memory that was mapped for it.
bool holds_plane(const GstVideoFrame& frame, const GstVideoInfo& info, guint plane) {
  std::ptrdiff_t row = 0;
  std::ptrdiff_t rows = 0;
  for (guint c = 0; c < GST_VIDEO_INFO_N_COMPONENTS(&info); ++c) {
    if (GST_VIDEO_INFO_COMP_PLANE(&info, c) != plane) continue;
    row = std::max<std::ptrdiff_t>(
        row, std::ptrdiff_t{GST_VIDEO_INFO_COMP_WIDTH(&info, c)} * GST_VIDEO_INFO_COMP_PSTRIDE(&info, c));
    rows = std::max<std::ptrdiff_t>(rows, GST_VIDEO_INFO_COMP_HEIGHT(&info, c));
  }
  const std::ptrdiff_t stride = frame.info.stride[plane];
  const std::ptrdiff_t first = static_cast<const guint8*>(frame.data[plane]) - frame.map[plane].data;
  const std::ptrdiff_t last = first + stride * (rows - 1);
  return std::abs(stride) >= row && std::min(first, last) >= 0 &&
         std::max(first, last) + row <= static_cast<std::ptrdiff_t>(frame.map[plane].size);
}

// Maps a frame whose rows are all there.
bool map_frame(GstVideoFrame& frame, const GstVideoInfo& info, GstBuffer* buffer, GstMapFlags flags) {
  const GstVideoMeta* meta = gst_buffer_get_video_meta(buffer);
  if (meta != nullptr && !describes(*meta, info)) return false;
  if (!gst_video_frame_map(&frame, &info, buffer, flags)) return false;
  if (meta == nullptr) return true;  // GStreamer has compared the sizes
  for (guint plane = 0; plane < GST_VIDEO_INFO_N_PLANES(&info); ++plane) {
    if (holds_plane(frame, info, plane)) continue;
    gst_video_frame_unmap(&frame);
    return false;
  }
  return true;
}

// A frame may be larger than the video's caps say; what is beyond is padding.
MutableImageView view_of(const GstVideoFrame& frame, const GstVideoInfo& info, PixelFormat format) {
  MutableImageView view;
  view.format = format;
  view.width = info.width;
  view.height = info.height;
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
  const auto* known = std::ranges::find(kFormats, format, &Format::video);
  if (known == kFormats.end()) return std::nullopt;
  return known->pixels;
}

GstVideoInfo video_info(const ImageView& view) {
  GstVideoInfo info;
  gst_video_info_set_format(&info, std::ranges::find(kFormats, view.format, &Format::pixels)->video,
                            static_cast<guint>(view.width), static_cast<guint>(view.height));
  if (is_yuv(view.format)) {
    const auto* matrix = std::ranges::find(kMatrices, view.matrix, &Matrix::pixels);
    gst_video_colorimetry_from_string(&info.colorimetry, matrix->colorimetry);
    info.colorimetry.range = view.range == YuvRange::full ? GST_VIDEO_COLOR_RANGE_0_255 : GST_VIDEO_COLOR_RANGE_16_235;
  }
  return info;
}

MappedFrame::MappedFrame(const GstVideoInfo& info, GstBuffer* buffer, GstMapFlags access) {
  const auto format = pixel_format(GST_VIDEO_INFO_FORMAT(&info));
  if (!format) {
    throw Error(ErrorCode::bad_format, std::string("cannot read video of format ") +
                                           gst_video_format_to_string(GST_VIDEO_INFO_FORMAT(&info)) +
                                           ": put a videoconvert in front");
  }
  const auto flags = static_cast<GstMapFlags>(static_cast<unsigned>(access) | GST_VIDEO_FRAME_MAP_FLAG_NO_REF);
  if (!map_frame(frame_, info, buffer, flags)) {
    throw BrokenFrame(ErrorCode::bad_format, "cannot map a video buffer of " +
                                                 std::to_string(gst_buffer_get_size(buffer)) + " bytes as a frame of " +
                                                 std::to_string(info.width) + "x" + std::to_string(info.height) + " " +
                                                 gst_video_format_to_string(GST_VIDEO_INFO_FORMAT(&info)) + " (" +
                                                 std::to_string(info.size) + " bytes): check the element in front");
  }
  pixels_ = view_of(frame_, info, *format);
}

MappedFrame::~MappedFrame() { gst_video_frame_unmap(&frame_); }

}  // namespace padim::gst
