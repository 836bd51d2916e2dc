#include "image/preprocess.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "expect_error.h"
#include "image/crop.h"
#include "random_numbers.h"

namespace padim::test {
namespace {

const std::map<PixelFormat, const char*> kFormats = {
    {PixelFormat::gray8, "gray8"}, {PixelFormat::rgb, "rgb"},   {PixelFormat::bgr, "bgr"},
    {PixelFormat::rgbx, "rgbx"},   {PixelFormat::bgrx, "bgrx"}, {PixelFormat::nv12, "nv12"},
    {PixelFormat::i420, "i420"},   {PixelFormat::yuy2, "yuy2"}, {PixelFormat::uyvy, "uyvy"}};

int halved(int length) { return (length + 1) / 2; }

int row_bytes(PixelFormat format, int plane, int width) {
  switch (format) {
    case PixelFormat::rgb:
    case PixelFormat::bgr:
      return 3 * width;
    case PixelFormat::rgbx:
    case PixelFormat::bgrx:
      return 4 * width;
    case PixelFormat::nv12:
      return plane == 0 ? width : 2 * halved(width);
    case PixelFormat::i420:
      return plane == 0 ? width : halved(width);
    case PixelFormat::yuy2:
    case PixelFormat::uyvy:
      return 4 * halved(width);
    default:
      return width;
  }
}

enum class Layout { tight, padded, bottom_up };

// A frame of random pixels in memory of its own; padding bytes differ from frame to frame.
struct Frame {
  Frame(PixelFormat format, Size size, Layout layout, std::uint32_t seed, std::uint32_t padding_seed) {
    view.format = format;
    view.width = size.width;
    view.height = size.height;
    for (int p = 0; p < plane_count(format); ++p) {
      const int rows = p == 0 ? size.height : halved(size.height);
      const int bytes = row_bytes(format, p, size.width);
      const int stride = bytes + (layout == Layout::tight ? 0 : 19);
      const auto at = static_cast<std::size_t>(p);
      memory[at] = random_bytes(static_cast<std::size_t>(stride * rows), padding_seed);
      const auto pixels = random_bytes(static_cast<std::size_t>(bytes * rows), seed + static_cast<std::uint32_t>(p));
      const bool up = layout == Layout::bottom_up;
      for (int y = 0; y < rows; ++y) {
        const int row = up ? rows - 1 - y : y;
        std::copy_n(pixels.begin() + y * bytes, bytes, memory[at].begin() + row * stride);
      }
      view.data[at] = memory[at].data() + (up ? (rows - 1) * stride : 0);
      view.stride[at] = up ? -stride : stride;
    }
  }

  std::array<std::vector<std::uint8_t>, 3> memory;
  ImageView view;
};

// One component at full precision: sample (x, y) of its own grid.
struct Plane {
  int width;
  int height;
  int subsampling_x;
  int subsampling_y;
  std::vector<double> values;
};

Plane component(const ImageView& frame, int index) {
  struct Place {
    int plane, offset, step, sx, sy;
  };
  static const std::map<PixelFormat, std::array<Place, 3>> places = {
      {PixelFormat::gray8, {{{0, 0, 1, 1, 1}, {0, 0, 1, 1, 1}, {0, 0, 1, 1, 1}}}},
      {PixelFormat::rgb, {{{0, 0, 3, 1, 1}, {0, 1, 3, 1, 1}, {0, 2, 3, 1, 1}}}},
      {PixelFormat::bgr, {{{0, 2, 3, 1, 1}, {0, 1, 3, 1, 1}, {0, 0, 3, 1, 1}}}},
      {PixelFormat::rgbx, {{{0, 0, 4, 1, 1}, {0, 1, 4, 1, 1}, {0, 2, 4, 1, 1}}}},
      {PixelFormat::bgrx, {{{0, 2, 4, 1, 1}, {0, 1, 4, 1, 1}, {0, 0, 4, 1, 1}}}},
      {PixelFormat::nv12, {{{0, 0, 1, 1, 1}, {1, 0, 2, 2, 2}, {1, 1, 2, 2, 2}}}},
      {PixelFormat::i420, {{{0, 0, 1, 1, 1}, {1, 0, 1, 2, 2}, {2, 0, 1, 2, 2}}}},
      {PixelFormat::yuy2, {{{0, 0, 2, 1, 1}, {0, 1, 4, 2, 1}, {0, 3, 4, 2, 1}}}},
      {PixelFormat::uyvy, {{{0, 1, 2, 1, 1}, {0, 0, 4, 2, 1}, {0, 2, 4, 2, 1}}}}};
  const Place at = places.at(frame.format)[static_cast<std::size_t>(index)];
  Plane plane{at.sx == 2 ? halved(frame.width) : frame.width,
              at.sy == 2 ? halved(frame.height) : frame.height,
              at.sx,
              at.sy,
              {}};
  const auto p = static_cast<std::size_t>(at.plane);
  for (int y = 0; y < plane.height; ++y) {
    for (int x = 0; x < plane.width; ++x) {
      plane.values.push_back(frame.data[p][y * frame.stride[p] + x * at.step + at.offset]);
    }
  }
  return plane;
}

double kernel(GeometryMode mode, double x) {
  x = std::abs(x);
  if (mode == GeometryMode::full) return std::max(1 - x, 0.0);
  if (x == 0) return 1;
  const double t = 3.14159265358979323846 * x;
  return x < 3 ? 3 * std::sin(t) * std::sin(t / 3) / (t * t) : 0;
}

// Weights of the samples 0..count-1 for output `o`: the filter stretched over the `length` pixels of the frame from
// `begin` on, of which each sample covers `subsampling`; samples that lie outside of them weigh nothing.
std::vector<double> weights_of(GeometryMode mode, int count, int subsampling, int begin, int length, int resized,
                               int o) {
  const double first = static_cast<double>(begin) / subsampling;
  const double last = static_cast<double>(begin + length) / subsampling;
  const double scale = (last - first) / resized;
  const double stretch = std::max(scale, 1.0);
  std::vector<double> weights;
  double sum = 0;
  for (int i = 0; i < count; ++i) {
    const bool outside = i + 1 <= first || i >= last;
    const double distance = i + 0.5 - first - (o + 0.5) * scale;
    sum += weights.emplace_back(outside ? 0 : kernel(mode, distance / stretch));
  }
  for (double& w : weights) w /= sum;
  return weights;
}

// Columns first, then rows, as Pillow does: Lanczos overshoots, and each pass stores what fits a byte.
std::vector<double> resized_component(const ImageView& frame, const Geometry& geometry, int index) {
  const Crop crop = crop_of(geometry, {frame.width, frame.height});
  const Plane plane = component(frame, index);
  const Rectangle seen = geometry.roi.width > 0 ? geometry.roi : Rectangle{0, 0, frame.width, frame.height};
  const auto width = static_cast<std::size_t>(geometry.input.width);
  std::vector<double> narrow;  // [plane.height, input.width]
  for (int x = 0; x < geometry.input.width; ++x) {
    const auto columns = weights_of(geometry.mode, plane.width, plane.subsampling_x, seen.x, seen.width,
                                    crop.resized.width, crop.left + x);
    narrow.resize(static_cast<std::size_t>(plane.height) * width);
    for (std::size_t v = 0; v < static_cast<std::size_t>(plane.height); ++v) {
      double sum = 0;
      for (std::size_t u = 0; u < columns.size(); ++u) sum += columns[u] * plane.values[v * columns.size() + u];
      narrow[v * width + static_cast<std::size_t>(x)] = std::clamp(sum, 0.0, 255.0);
    }
  }
  std::vector<double> result;
  for (int y = 0; y < geometry.input.height; ++y) {
    const auto rows = weights_of(geometry.mode, plane.height, plane.subsampling_y, seen.y, seen.height,
                                 crop.resized.height, crop.top + y);
    for (std::size_t x = 0; x < width; ++x) {
      double sum = 0;
      for (std::size_t v = 0; v < rows.size(); ++v) sum += rows[v] * narrow[v * width + x];
      result.push_back(std::clamp(sum, 0.0, 255.0));
    }
  }
  return result;
}

std::array<double, 3> to_rgb(double y, double u, double v, YuvMatrix matrix, YuvRange range) {
  const double kr = matrix == YuvMatrix::bt601 ? 0.299 : matrix == YuvMatrix::bt709 ? 0.2126 : 0.2627;
  const double kb = matrix == YuvMatrix::bt601 ? 0.114 : matrix == YuvMatrix::bt709 ? 0.0722 : 0.0593;
  const bool limited = range == YuvRange::limited;
  const double luma = limited ? (y - 16) / 219 : y / 255;
  const double cb = (u - 128) / (limited ? 224 : 255);
  const double cr = (v - 128) / (limited ? 224 : 255);
  const double r = luma + 2 * (1 - kr) * cr;
  const double b = luma + 2 * (1 - kb) * cb;
  const double g = (luma - kr * r - kb * b) / (1 - kr - kb);
  return {std::clamp(255 * r, 0.0, 255.0), std::clamp(255 * g, 0.0, 255.0), std::clamp(255 * b, 0.0, 255.0)};
}

// The whole stage in double precision, rounded nowhere.
std::vector<double> reference(const ImageView& frame, const Geometry& geometry) {
  const auto a = resized_component(frame, geometry, 0);
  const auto b = resized_component(frame, geometry, 1);
  const auto c = resized_component(frame, geometry, 2);
  std::vector<double> rgb;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const std::array<double, 3> pixel = is_yuv(frame.format) ? to_rgb(a[i], b[i], c[i], frame.matrix, frame.range)
                                                             : std::array<double, 3>{a[i], b[i], c[i]};
    rgb.insert(rgb.end(), pixel.begin(), pixel.end());
  }
  return rgb;
}

std::vector<std::uint8_t> preprocess(const ImageView& frame, const Geometry& geometry) {
  std::vector<std::uint8_t> output(static_cast<std::size_t>(geometry.input.width * geometry.input.height * 3));
  Preprocessor(geometry).run(frame, output);
  return output;
}

void compare(const ImageView& frame, const Geometry& geometry) {
  const auto result = preprocess(frame, geometry);
  const auto expected = reference(frame, geometry);
  double largest = 0;
  double sum = 0;
  for (std::size_t i = 0; i < result.size(); ++i) {
    const double error = std::abs(result[i] - expected[i]);
    largest = std::max(largest, error);
    sum += error;
  }
  // 8-bit rounding of each component, after both passes, is one level; the colour matrix stretches that of chroma by up
  // to 2.1, twice for green.
  const bool yuv = is_yuv(frame.format);
  EXPECT_LE(largest, yuv ? 4.0 : 1.6) << kFormats.at(frame.format) << " " << frame.width << "x" << frame.height;
  EXPECT_LE(sum / static_cast<double>(result.size()), yuv ? 0.9 : 0.45) << kFormats.at(frame.format);
}

// Every format and memory layout, odd and even sizes, up and down, in both geometries.
TEST(Preprocess, EqualsDoublePrecision) {
  const Size sizes[] = {{64, 48}, {63, 47}, {130, 98}, {9, 7}};
  std::uint32_t seed = 0;
  for (const auto& [format, name] : kFormats) {
    for (const Layout layout : {Layout::tight, Layout::padded, Layout::bottom_up}) {
      for (const Size size : sizes) {
        const Frame frame(format, size, layout, ++seed, 77);
        compare(frame.view, choose_geometry(GeometryMode::full, {64, 48}, size, 16));
        if (layout == Layout::padded) compare(frame.view, choose_geometry(GeometryMode::paper, {48, 48}, size, 16));
      }
    }
  }
}

// A region of interest takes the frame's place, at odd offsets of subsampled formats too, and where it touches a
// border.
TEST(Preprocess, LooksAtTheRoiOnly) {
  const Roi rois[] = {{32, 16, 64, 48}, {33, 17, 61, 47}, {0, 0, 41, 37}, {62, 51, 68, 47}, {0.25, 0.5, 0.5, 0.25}};
  std::uint32_t seed = 500;
  for (const auto& [format, name] : kFormats) {
    for (const Roi& roi : rois) {
      for (const Layout layout : {Layout::padded, Layout::bottom_up}) {
        const Frame frame(format, {130, 98}, layout, ++seed, 77);
        compare(frame.view, choose_geometry(GeometryMode::full, {64, 48}, {130, 98}, 16, roi));
        compare(frame.view, choose_geometry(GeometryMode::paper, {48, 48}, {130, 98}, 16, roi));
      }
    }
  }
}

// Frames of another size than the fitted ones are looked at in the same place of the scene.
TEST(Preprocess, ScalesTheRoiWithTheFrame) {
  const Geometry geometry = choose_geometry(GeometryMode::full, {}, {640, 480}, 16, {100, 50, 320, 240});
  const FrameMapping twice = map_to_frame(geometry, {1280, 960});
  EXPECT_DOUBLE_EQ(twice.offset_x, 200);
  EXPECT_DOUBLE_EQ(twice.offset_y, 100);
  EXPECT_DOUBLE_EQ(twice.scale_x * geometry.input.width, 640);
  EXPECT_DOUBLE_EQ(twice.scale_y * geometry.input.height, 480);
  expect_error(ErrorCode::mismatch, {"480x480"}, [&] { (void)map_to_frame(geometry, {480, 480}); });
  const Geometry paper = choose_geometry(GeometryMode::paper, {}, {640, 480}, 16, {100, 50, 320, 240});
  expect_error(ErrorCode::mismatch, {"480x480"}, [&] { (void)map_to_frame(paper, {480, 480}); });
}

// Both ranges of every colour matrix.
TEST(Preprocess, KnowsColourMatrices) {
  for (const YuvMatrix matrix : {YuvMatrix::bt601, YuvMatrix::bt709, YuvMatrix::bt2020}) {
    for (const YuvRange range : {YuvRange::limited, YuvRange::full}) {
      Frame frame(PixelFormat::i420, {48, 32}, Layout::padded, 5, 77);
      frame.view.matrix = matrix;
      frame.view.range = range;
      compare(frame.view, choose_geometry(GeometryMode::full, {48, 32}, {48, 32}, 16));
    }
  }
}

// Published code points: 75 % colour bars and the limits of the ranges.
TEST(Preprocess, KnowsColourBars) {
  const struct {
    YuvMatrix matrix;
    YuvRange range;
    std::array<std::uint8_t, 3> yuv;
    std::array<int, 3> rgb;
  } cases[] = {
      {YuvMatrix::bt601, YuvRange::limited, {81, 90, 240}, {255, 0, 0}},
      {YuvMatrix::bt601, YuvRange::limited, {145, 54, 34}, {0, 255, 0}},
      {YuvMatrix::bt601, YuvRange::limited, {41, 240, 110}, {0, 0, 255}},
      {YuvMatrix::bt601, YuvRange::limited, {235, 128, 128}, {255, 255, 255}},
      {YuvMatrix::bt601, YuvRange::limited, {16, 128, 128}, {0, 0, 0}},
      {YuvMatrix::bt709, YuvRange::limited, {51, 109, 212}, {191, 0, 0}},
      {YuvMatrix::bt709, YuvRange::limited, {133, 63, 52}, {0, 191, 0}},
      {YuvMatrix::bt709, YuvRange::limited, {28, 212, 120}, {0, 0, 191}},
      {YuvMatrix::bt601, YuvRange::full, {76, 85, 255}, {254, 0, 0}},
      {YuvMatrix::bt601, YuvRange::full, {255, 128, 128}, {255, 255, 255}},
  };
  for (const auto& c : cases) {
    std::array<std::vector<std::uint8_t>, 3> planes;
    ImageView view{PixelFormat::i420, 32, 32, {}, {32, 16, 16}, c.matrix, c.range};
    for (std::size_t p = 0; p < 3; ++p) {
      planes[p].assign(32 * 32, c.yuv[p]);
      view.data[p] = planes[p].data();
    }
    const auto rgb = preprocess(view, choose_geometry(GeometryMode::full, {32, 32}, {32, 32}, 16));
    for (std::size_t i = 0; i < rgb.size(); ++i) ASSERT_NEAR(rgb[i], c.rgb[i % 3], 1) << int{c.yuv[0]};
  }
}

// Padding bytes are never read: frames that differ only there look alike.
TEST(Preprocess, IgnoresPadding) {
  for (const auto& [format, name] : kFormats) {
    const Geometry geometry = choose_geometry(GeometryMode::full, {32, 32}, {45, 45}, 16);
    const Frame one(format, {45, 45}, Layout::padded, 3, 1);
    const Frame other(format, {45, 45}, Layout::padded, 3, 2);
    const Frame upside(format, {45, 45}, Layout::bottom_up, 3, 4);
    EXPECT_EQ(preprocess(one.view, geometry), preprocess(other.view, geometry)) << name;
    EXPECT_EQ(preprocess(one.view, geometry), preprocess(upside.view, geometry)) << name;
  }
}

// One preprocessor serves changing formats and sizes; a frame that it refuses leaves it as it was.
TEST(Preprocess, FollowsTheFrames) {
  const Geometry geometry = choose_geometry(GeometryMode::full, {48, 32}, {96, 64}, 16);
  Preprocessor preprocessor(geometry);
  std::vector<std::uint8_t> output(48 * 32 * 3);
  std::uint32_t seed = 90;
  for (int round = 0; round < 3; ++round) {
    for (const auto& [format, name] : kFormats) {
      const Size size = round == 1 ? Size{48, 32} : Size{96, 64};
      const Frame frame(format, size, Layout::padded, ++seed, 77);
      const FrameMapping mapping = preprocessor.run(frame.view, output);
      EXPECT_EQ(output, preprocess(frame.view, geometry)) << name;
      EXPECT_EQ(mapping.scale_x, size.width / 48.0);
      const Frame tall(format, {64, 96}, Layout::tight, 1, 1);
      expect_error(ErrorCode::mismatch, {"64x96", "96x64"}, [&] { preprocessor.run(tall.view, output); });
      EXPECT_EQ(preprocessor.run(frame.view, output).scale_y, mapping.scale_y);
      EXPECT_EQ(output, preprocess(frame.view, geometry)) << name;
    }
  }
}

// A view without pixels, or without one of its planes, is an error and not a crash.
TEST(Preprocess, RejectsIncompleteViews) {
  const Geometry geometry = choose_geometry(GeometryMode::full, {32, 32}, {32, 32}, 16);
  for (const auto& [format, name] : kFormats) {
    const Frame frame(format, {32, 32}, Layout::tight, 1, 1);
    for (int p = 0; p < plane_count(format); ++p) {
      ImageView view = frame.view;
      view.data[static_cast<std::size_t>(p)] = nullptr;
      expect_error(ErrorCode::invalid_argument, {"image view"}, [&] { preprocess(view, geometry); });
    }
    for (const Size size : {Size{0, 32}, Size{32, 0}, Size{-32, -32}}) {
      ImageView view = frame.view;
      view.width = size.width;
      view.height = size.height;
      expect_error(ErrorCode::invalid_argument, {"image view"}, [&] { preprocess(view, geometry); });
    }
  }
}

}  // namespace
}  // namespace padim::test
