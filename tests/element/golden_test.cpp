// Golden pictures: what the element draws, in each format, beside pictures that people have looked at.
//
// A frame with a foreign object is drawn on with everything at once: heat map, contour, boxes, text. The result is
// converted to RGB by the textbook formulas of BT.601, each chroma sample standing for all of its pixels, and compared
// with the picture of the format's sampling in golden/: rgb, 422, 420 or grey. Formats of one sampling share a picture,
// so that they are held against each other, too.
//
// Where the drawing has changed on purpose, write the pictures anew and look at them before they are committed:
//   PADIM_WRITE_GOLDEN=1 meson test -C build 'element golden'   (fails, as nothing was compared)

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <opencv2/imgcodecs.hpp>
#include <ostream>
#include <string>

#include "element_harness.h"

namespace padim::test {
namespace {

struct Case {
  const char* format;
  const char* picture;
  int tolerance;  ///< per channel of the RGB picture
};

// All formats of a sampling were equal to the last bit, on every instruction set of an x86-64 machine, with Debian 12's
// libraries and g++ 12 and with Debian 13's and g++ 14. What others may round otherwise: RGB and grey by a step of the
// heat map's opacity, 2 levels, and 1 of its colour. YUV by two levels of luma and of chroma, each of which makes
// 1.16 + 2.02 levels of blue.
constexpr int kDirect = 3;
constexpr int kYuv = 7;

// The outline moves by a small fraction of a pixel where the score map is rounded otherwise on its way here, and one
// pixel of way is 255 levels: one in 200 pixels may differ by an eighth of that.
constexpr int kEdge = 32;
constexpr int kEdgeShare = 200;

constexpr Case kCases[] = {
    {"RGB", "rgb", kDirect},  {"RGBx", "rgb", kDirect},   {"RGBA", "rgb", kDirect}, {"BGR", "rgb", kDirect},
    {"BGRx", "rgb", kDirect}, {"BGRA", "rgb", kDirect},   {"YUY2", "422", kYuv},    {"UYVY", "422", kYuv},
    {"NV12", "420", kYuv},    {"GRAY8", "grey", kDirect}, {"I420", "420", kYuv},
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.format; }

using Pixel = std::array<double, 3>;  // blue, green, red: as pictures of OpenCV have it

Pixel from_yuv(double y, double u, double v) {
  const double luma = 255.0 / 219 * (y - 16);
  const double blue = 255.0 / 224 * (u - 128);
  const double red = 255.0 / 224 * (v - 128);
  return {luma + 1.772 * blue, luma - 0.344136 * blue - 0.714136 * red, luma + 1.402 * red};
}

Pixel pixel_at(const GstVideoFrame& frame, int x, int y) {
  const auto component = [&](guint c) -> double {
    const GstVideoFormatInfo* format = frame.info.finfo;
    const auto* plane = static_cast<const guint8*>(GST_VIDEO_FRAME_COMP_DATA(&frame, c));
    return plane[(y >> format->h_sub[c]) * GST_VIDEO_FRAME_COMP_STRIDE(&frame, c) +
                 (x >> format->w_sub[c]) * GST_VIDEO_FRAME_COMP_PSTRIDE(&frame, c)];
  };
  if (GST_VIDEO_INFO_IS_GRAY(&frame.info)) return {component(0), component(0), component(0)};
  if (GST_VIDEO_INFO_IS_RGB(&frame.info)) return {component(2), component(1), component(0)};
  return from_yuv(component(0), component(1), component(2));
}

cv::Mat picture_of(GstBuffer* buffer, const Scene& scene) {
  GstVideoInfo info = scene.info();
  GstVideoFrame frame;
  EXPECT_TRUE(gst_video_frame_map(&frame, &info, buffer, GST_MAP_READ));
  cv::Mat picture(scene.height, scene.width, CV_8UC3);
  for (int y = 0; y < scene.height; ++y) {
    for (int x = 0; x < scene.width; ++x) {
      const Pixel pixel = pixel_at(frame, x, y);
      for (int c = 0; c < 3; ++c) {
        picture.at<cv::Vec3b>(y, x)[c] =
            static_cast<std::uint8_t>(std::lround(std::clamp(pixel[static_cast<std::size_t>(c)], 0.0, 255.0)));
      }
    }
  }
  gst_video_frame_unmap(&frame);
  return picture;
}

struct Difference {
  int count = 0;    ///< pixels beyond the tolerance
  int largest = 0;  ///< of a channel
  int x = 0;        ///< where it is
  int y = 0;
};

Difference compare(const cv::Mat& actual, const cv::Mat& expected, int tolerance) {
  Difference difference;
  for (int y = 0; y < actual.rows; ++y) {
    for (int x = 0; x < actual.cols; ++x) {
      int largest = 0;
      for (int c = 0; c < 3; ++c) {
        largest = std::max(largest, std::abs(actual.at<cv::Vec3b>(y, x)[c] - expected.at<cv::Vec3b>(y, x)[c]));
      }
      if (largest > tolerance) ++difference.count;
      if (largest > difference.largest) difference = {difference.count, largest, x, y};
    }
  }
  return difference;
}

std::filesystem::path folder(const char* variable) {
  const char* path = std::getenv(variable);
  if (path == nullptr) ADD_FAILURE() << variable << " is not set: run this test with meson";
  return path == nullptr ? "." : path;
}

/// Leaves a picture to be looked at; returns its name.
std::string keep(const cv::Mat& picture, const std::filesystem::path& folder, const std::string& name) {
  std::filesystem::create_directories(folder);
  const std::string file = (folder / (name + ".png")).string();
  EXPECT_TRUE(cv::imwrite(file, picture, {cv::IMWRITE_PNG_COMPRESSION, 9})) << file;
  return file;
}

class GoldenTest : public testing::TestWithParam<Case> {
 protected:
  [[nodiscard]] static Scene scene() {
    Scene scene;
    scene.format = GetParam().format;
    scene.width = 225;
    scene.height = 169;
    scene.padding = 24;
    scene.noise = 1;
    return scene;
  }
};

// The heat's colours, the outline, the box and the text are where they were, and nothing else is.
TEST_P(GoldenTest, LooksAsItDid) {
  const auto& [format, name, tolerance] = GetParam();
  ElementHarness harness("mode=fit-then-detect fit-frames=16 overlay=heatmap+contour+boxes+text", scene());
  harness.push_normal(0, 16);
  ASSERT_TRUE(harness.wait_for("padim-fitted"));
  const auto out = harness.run(render(scene(), 16, Content::anomalous));
  ASSERT_TRUE(out);
  const cv::Mat actual = picture_of(out.get(), scene());

  const std::string golden = (folder("PADIM_GOLDEN") / (std::string(name) + ".png")).string();
  if (std::getenv("PADIM_WRITE_GOLDEN") != nullptr) {
    FAIL() << "written, not compared: " << keep(actual, folder("PADIM_GOLDEN"), name);
  }
  const cv::Mat expected = cv::imread(golden, cv::IMREAD_COLOR);
  ASSERT_EQ(expected.size(), actual.size()) << golden;
  const Difference difference = compare(actual, expected, tolerance);
  const bool alike = difference.largest <= kEdge && difference.count <= scene().width * scene().height / kEdgeShare;
  EXPECT_TRUE(alike) << format << ": " << difference.count << " pixels differ from " << golden << " by more than "
                     << tolerance << ", most at " << difference.x << ',' << difference.y << ", by "
                     << difference.largest << "; the picture is "
                     << keep(actual, folder("PADIM_GOLDEN_FAILED"), format);
}

INSTANTIATE_TEST_SUITE_P(Pictures, GoldenTest, testing::ValuesIn(kCases),
                         [](const auto& parameter) { return std::string(parameter.param.format); });

}  // namespace
}  // namespace padim::test
