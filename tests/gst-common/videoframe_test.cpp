#include "gst-common/videoframe.h"

#include <gtest/gtest.h>

#include <iterator>
#include <limits>
#include <optional>
#include <set>
#include <span>

#include "gst-common/owned.h"
#include "padim/error.h"

namespace padim {
namespace {

constexpr PixelFormat kFormats[] = {PixelFormat::gray8, PixelFormat::rgb,  PixelFormat::bgr,
                                    PixelFormat::rgbx,  PixelFormat::bgrx, PixelFormat::nv12,
                                    PixelFormat::i420,  PixelFormat::yuy2, PixelFormat::uyvy};

class VideoFrameTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
};

// What GStreamer is told of a frame is what comes back from a mapped one, above and below the height from which on
// unlabelled video counts as high definition.
TEST_F(VideoFrameTest, DescriptionIsTheInverseOfMapping) {
  for (const PixelFormat format : kFormats) {
    for (const YuvMatrix matrix : {YuvMatrix::bt601, YuvMatrix::bt709, YuvMatrix::bt2020}) {
      for (const YuvRange range : {YuvRange::limited, YuvRange::full}) {
        for (const int height : {37, 578}) {
          const ImageView view{format, 51, height, {}, {}, matrix, range};
          const GstVideoInfo info = gst::video_info(view);
          const gst::Owned<GstBuffer> buffer(gst_buffer_new_allocate(nullptr, info.size, nullptr));
          const gst::MappedFrame mapped(info, buffer.get(), GST_MAP_READ);
          EXPECT_EQ(mapped.view().format, format);
          EXPECT_EQ(mapped.view().width, 51);
          EXPECT_EQ(mapped.view().height, height);
          if (!is_yuv(format)) continue;
          EXPECT_EQ(mapped.view().matrix, matrix);
          EXPECT_EQ(mapped.view().range, range);
        }
      }
    }
  }
}

// A buffer's own description of its planes is not believed: what contradicts the caps or leads out of the buffer is an
// error, without a word on GStreamer's own log. Padding and rows from bottom to top are no contradiction.
TEST_F(VideoFrameTest, PlanesLieInTheBuffer) {
  g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL);
  struct Case {
    const char* name;
    GstVideoFormat format;
    guint width, height, planes;
    gsize offset[4];
    gint stride[4];
    bool fits;
  };
  constexpr GstVideoFormat kNv12 = GST_VIDEO_FORMAT_NV12;
  Case cases[] = {
      // of a buffer that holds just a frame of 16x8 NV12
      {"right", kNv12, 16, 8, 2, {0, 128}, {16, 16}, true},
      {"larger frame", kNv12, 20, 9, 2, {0, 128}, {16, 16}, true},
      {"bottom up", kNv12, 16, 8, 2, {112, 128}, {-16, 16}, true},
      {"other format", GST_VIDEO_FORMAT_NV21, 16, 8, 2, {0, 128}, {16, 16}, false},
      {"fewer planes", kNv12, 16, 8, 1, {0}, {16}, false},
      {"narrower", kNv12, 15, 8, 2, {0, 128}, {16, 16}, false},
      {"lower", kNv12, 16, 7, 2, {0, 128}, {16, 16}, false},
      {"second plane too low", kNv12, 16, 8, 2, {0, 129}, {16, 16}, false},
      {"second plane beyond", kNv12, 16, 8, 2, {0, 100'000}, {16, 16}, false},
      {"rows too far apart", kNv12, 16, 8, 2, {0, 128}, {16, 1 << 20}, false},
      {"rows before the buffer", kNv12, 16, 8, 2, {0, 128}, {-16, 16}, false},
      {"rows over one another", kNv12, 16, 8, 2, {0, 128}, {8, 16}, false},
      {"rows without end", kNv12, 16, 8, 2, {0, 128}, {std::numeric_limits<gint>::min(), 16}, false},
  };
  const GstVideoInfo info = gst::video_info({PixelFormat::nv12, 16, 8, {}, {}, YuvMatrix::bt601, YuvRange::limited});
  for (Case& c : cases) {
    SCOPED_TRACE(c.name);
    const gst::Owned<GstBuffer> buffer(gst_buffer_new_allocate(nullptr, 192, nullptr));
    gst_buffer_add_video_meta_full(buffer.get(), GST_VIDEO_FRAME_FLAG_NONE, c.format, c.width, c.height, c.planes,
                                   c.offset, c.stride);
    if (c.fits) {
      const gst::MappedFrame mapped(info, buffer.get(), GST_MAP_READ);
      EXPECT_EQ(mapped.view().width, 16);
      EXPECT_EQ(mapped.view().height, 8);
      EXPECT_EQ(mapped.view().stride[0], c.stride[0]);
    } else {
      EXPECT_THROW(gst::MappedFrame(info, buffer.get(), GST_MAP_READ), Error);
    }
  }
}

// The caps offer what can be read and nothing else, and every layout of pixels can be had.
TEST_F(VideoFrameTest, CapsHoldEveryFormatThatCanBeRead) {
  const gst::Owned<GstCaps> caps(gst_caps_from_string(gst::kVideoCaps));
  std::set<PixelFormat> offered;
  int readable = 0;
  guint count = 0;
  const auto* formats = static_cast<const GstVideoFormat*>(gst_video_formats_raw(&count));
  for (const GstVideoFormat format : std::span(formats, count)) {
    const std::optional<PixelFormat> pixels = gst::pixel_format(format);
    readable += pixels ? 1 : 0;
    const char* name = gst_video_format_to_string(format);
    const gst::Owned<GstCaps> wanted(gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING, name, nullptr));
    EXPECT_EQ(gst_caps_can_intersect(caps.get(), wanted.get()) != FALSE, pixels.has_value()) << name;
    if (pixels) offered.insert(*pixels);
  }
  EXPECT_EQ(offered, std::set<PixelFormat>(std::begin(kFormats), std::end(kFormats)));
  EXPECT_EQ(readable, 11);
}

}  // namespace
}  // namespace padim
