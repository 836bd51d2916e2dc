#include "padim/geometry.h"

#include <gtest/gtest.h>

#include <cmath>

#include "expect_error.h"
#include "image/crop.h"

namespace padim::test {
namespace {

// `full` by default: about 256 x 256 pixels in all, aspect ratio kept, sides multiples of the stride, never empty or
// huge.
TEST(Geometry, FullKeepsTheAspectRatio) {
  const struct {
    Size frame;
    Size input;
  } cases[] = {{{640, 480}, {288, 224}},  {{1920, 1080}, {336, 192}}, {{256, 256}, {256, 256}},
               {{1, 1}, {256, 256}},      {{1080, 1920}, {192, 336}}, {{100000, 1}, {4096, 16}},
               {{1, 100000}, {16, 4096}}, {{320, 240}, {288, 224}}};
  for (const auto& c : cases) {
    const Geometry geometry = choose_geometry(GeometryMode::full, {}, c.frame, 16);
    EXPECT_EQ(geometry.input, c.input) << c.frame.width << "x" << c.frame.height;
    EXPECT_EQ(geometry.fitted_frame, c.frame);
    EXPECT_EQ(geometry.mode, GeometryMode::full);
  }
  EXPECT_EQ(choose_geometry(GeometryMode::full, {}, {640, 480}, 32).input, (Size{288, 224}));
  EXPECT_EQ(choose_geometry(GeometryMode::full, {480, 320}, {7, 5}, 16).input, (Size{480, 320}));
  EXPECT_EQ(choose_geometry(GeometryMode::paper, {}, {7, 5}, 16).input, (Size{224, 224}));
}

// A wanted size that the network cannot take is named with the rule that it breaks.
TEST(Geometry, RejectsUnusableInputSizes) {
  const struct {
    GeometryMode mode;
    Size size;
    const char* word;
  } cases[] = {
      {GeometryMode::full, {-16, 32}, "16..4096"},      {GeometryMode::full, {0, 32}, "16..4096"},
      {GeometryMode::full, {32, 8}, "16..4096"},        {GeometryMode::full, {4112, 32}, "16..4096"},
      {GeometryMode::full, {40, 32}, "multiple of 16"}, {GeometryMode::full, {32, 33}, "multiple of 16"},
      {GeometryMode::paper, {224, 240}, "square"},
  };
  for (const auto& c : cases) {
    const std::string text = std::to_string(c.size.width) + "x" + std::to_string(c.size.height);
    expect_error(ErrorCode::invalid_argument, {text, c.word}, [&] {
      (void)choose_geometry(c.mode, c.size, {640, 480}, 16);
    });
  }
  for (const Size frame : {Size{0, 1}, Size{1, 0}, Size{-4, 3}}) {
    expect_error(ErrorCode::invalid_argument, {"no content"},
                 [&] { (void)choose_geometry(GeometryMode::full, {}, frame, 16); });
  }
}

// torchvision's Resize(256) truncates the longer side; CenterCrop(224) rounds half to even. Values printed by
// torchvision 0.14 for these sizes.
TEST(Geometry, PaperCropsAsTorchvision) {
  const struct {
    Size frame;
    Size resized;
    int left;
    int top;
  } cases[] = {{{1024, 1024}, {256, 256}, 16, 16}, {{640, 480}, {341, 256}, 58, 16}, {{480, 640}, {256, 341}, 16, 58},
               {{100, 101}, {256, 258}, 16, 17},   {{257, 256}, {257, 256}, 16, 16}, {{256, 259}, {256, 259}, 16, 18},
               {{500, 333}, {384, 256}, 80, 16},   {{10, 7}, {365, 256}, 70, 16}};
  for (const auto& c : cases) {
    const Geometry geometry = choose_geometry(GeometryMode::paper, {}, c.frame, 16);
    const Crop crop = crop_of(geometry, c.frame);
    EXPECT_EQ(crop.resized, c.resized) << c.frame.width << "x" << c.frame.height;
    EXPECT_EQ(crop.left, c.left);
    EXPECT_EQ(crop.top, c.top);
  }
}

// The mapping takes the corners of the network input to the corners of what it shows of the frame.
TEST(Geometry, MapsToTheFrame) {
  const Geometry full = choose_geometry(GeometryMode::full, {}, {640, 480}, 16);
  for (const Size frame : {Size{640, 480}, Size{320, 240}, Size{1920, 1440}, Size{645, 480}}) {
    const FrameMapping mapping = map_to_frame(full, frame);
    EXPECT_EQ(mapping.offset_x, 0);
    EXPECT_EQ(mapping.offset_y, 0);
    EXPECT_NEAR(mapping.scale_x * full.input.width, frame.width, 1e-9);
    EXPECT_NEAR(mapping.scale_y * full.input.height, frame.height, 1e-9);
  }
  const FrameMapping paper = map_to_frame(choose_geometry(GeometryMode::paper, {}, {1024, 1024}, 16), {1024, 1024});
  EXPECT_EQ(paper.offset_x, 64);
  EXPECT_EQ(paper.offset_y, 64);
  EXPECT_EQ(paper.scale_x, 4);
  EXPECT_EQ(paper.scale_y, 4);
}

// `full` takes other sizes of the same shape within 2 %; `paper` takes any shape that it can cut a square from.
TEST(Geometry, RejectsOtherShapes) {
  const Geometry full = choose_geometry(GeometryMode::full, {}, {1000, 1000}, 16);
  for (const int width : {981, 1019}) EXPECT_NO_THROW((void)map_to_frame(full, {width, 1000}));
  for (const int width : {979, 1021, 1, 100000}) {
    expect_error(ErrorCode::mismatch, {std::to_string(width) + "x1000", "1000x1000", "aspect ratio"}, [&] {
      (void)map_to_frame(full, {width, 1000});
    });
  }
  const Geometry paper = choose_geometry(GeometryMode::paper, {}, {1000, 1000}, 16);
  EXPECT_NO_THROW((void)map_to_frame(paper, {3000, 10}));
  for (const Size frame : {Size{1, 100000}, Size{100000, 1}, Size{1 << 30, 1}}) {
    expect_error(ErrorCode::mismatch, {"too narrow"}, [&] { (void)map_to_frame(paper, frame); });
  }
}

// Names and sizes as users type them.
TEST(Geometry, ParsesText) {
  for (const GeometryMode mode : {GeometryMode::full, GeometryMode::paper})
    EXPECT_EQ(parse_geometry(to_string(mode)), mode);
  EXPECT_EQ(parse_size(""), Size{});
  EXPECT_EQ(parse_size("336x192"), (Size{336, 192}));
  EXPECT_EQ(parse_size("99999x0"), (Size{99999, 0}));
  for (const char* text : {"x", "1x", "x1", "1X1", "1x1x1", "-1x1", "1 x1", "1x1 ", "100000x1", "1e3x1", "336"}) {
    expect_error(ErrorCode::invalid_argument, {text, "WIDTHxHEIGHT"}, [&] { (void)parse_size(text); });
  }
  for (const char* name : {"", "Full", "crop"}) {
    expect_error(ErrorCode::invalid_argument, {"full", "paper"}, [&] { (void)parse_geometry(name); });
  }
}

// The ROI's shape decides the network's input, and the ROI is where the input lies in the frame.
TEST(Geometry, FollowsTheRoi) {
  const Geometry geometry = choose_geometry(GeometryMode::full, {}, {1920, 1080}, 16, {101, 51, 500, 1000});
  EXPECT_EQ(geometry.roi, (Rectangle{101, 51, 500, 1000}));
  EXPECT_EQ(geometry.input, (Size{176, 368}));
  const FrameMapping mapping = map_to_frame(geometry, {1920, 1080});
  EXPECT_DOUBLE_EQ(mapping.offset_x, 101);
  EXPECT_DOUBLE_EQ(mapping.offset_y, 51);
  EXPECT_DOUBLE_EQ(mapping.offset_x + mapping.scale_x * 176, 601);
  EXPECT_DOUBLE_EQ(mapping.offset_y + mapping.scale_y * 368, 1051);

  // Shorter side 400 to 256, crop of 224: 14 and 35 pixels from the ROI's corner cut off, times 400 / 256.
  const Geometry paper = choose_geometry(GeometryMode::paper, {}, {1920, 1080}, 16, {100, 50, 400, 600});
  const FrameMapping crop = map_to_frame(paper, {1920, 1080});
  EXPECT_DOUBLE_EQ(crop.offset_x, 100 + 16 * 400 / 256.0);
  EXPECT_DOUBLE_EQ(crop.offset_y, 50 + 80 * 600 / 384.0);
}

// Pixels, or fractions where no number is above 1; everything is nothing in particular.
TEST(Geometry, TakesRoisInPixelsAndFractions) {
  const Size frame{640, 480};
  EXPECT_EQ(to_pixels(parse_roi("100,50,320,240"), frame), (Rectangle{100, 50, 320, 240}));
  EXPECT_EQ(to_pixels(parse_roi("0.25,0.5,0.5,0.5"), frame), (Rectangle{160, 240, 320, 240}));
  EXPECT_EQ(to_pixels(parse_roi("0,0,1,0.5"), frame), (Rectangle{0, 0, 640, 240}));
  EXPECT_EQ(to_pixels(parse_roi("0,0,1,1"), frame), Rectangle{});
  EXPECT_EQ(to_pixels(parse_roi("0,0,640,480"), frame), Rectangle{});
  EXPECT_EQ(to_pixels(parse_roi(""), frame), Rectangle{});
  // Thirds meet without a gap and without an overlap.
  EXPECT_EQ(to_pixels({1.0 / 3, 0, 1.0 / 3, 1}, {100, 60}), (Rectangle{33, 0, 34, 60}));
}

// A ROI that cannot be meant is refused with what is wrong about it.
TEST(Geometry, RejectsUnusableRois) {
  for (const char* text : {"1,2,3", "1,2,3,4,5", "a,b,c,d", "1;2;3;4", "10,10,0,10", "-1,0,20,20", "1,2,3,",
                           "nan,0,1,1", "1, 2, 3, 4", "0,0,inf,1"}) {
    expect_error(ErrorCode::invalid_argument, {text, "x,y,width,height"}, [&] { (void)parse_roi(text); });
  }
  for (const char* text : {"600,0,41,100", "0,400,100,81", "0.5,0,0.6,1", "0,0,1e300,100"}) {
    expect_error(ErrorCode::invalid_argument, {"640x480", "does not lie"}, [&] {
      (void)to_pixels(parse_roi(text), {640, 480});
    });
  }
  for (const char* text : {"0,0,15,100", "0,0,100,15", "0.5,0.5,0.01,0.5"}) {
    expect_error(ErrorCode::invalid_argument, {"too small", "16"}, [&] {
      (void)to_pixels(parse_roi(text), {640, 480});
    });
  }
}

}  // namespace
}  // namespace padim::test
