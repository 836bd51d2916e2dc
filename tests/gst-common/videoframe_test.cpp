#include "gst-common/videoframe.h"

#include <gtest/gtest.h>

#include <optional>
#include <set>

#include "gst-common/owned.h"

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

// The caps offer what can be read and nothing else, and every layout of pixels can be had.
TEST_F(VideoFrameTest, CapsHoldEveryFormatThatCanBeRead) {
  const gst::Owned<GstCaps> caps(gst_caps_from_string(gst::kVideoCaps));
  std::set<PixelFormat> offered;
  int readable = 0;
  for (int i = GST_VIDEO_FORMAT_ENCODED + 1;; ++i) {
    const auto format = static_cast<GstVideoFormat>(i);
    if (gst_video_format_to_string(format) == nullptr) break;
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
