#include "padim/overlay.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include "overlay/colormap.h"
#include "overlay_picture.h"
#include "padim/error.h"

namespace padim {

void PrintTo(PixelFormat format, std::ostream* out) {
  constexpr std::array kNames = {"gray8", "rgb", "bgr", "rgbx", "bgrx", "nv12", "i420", "yuy2", "uyvy"};
  *out << kNames.at(static_cast<std::size_t>(format));
}

namespace {

constexpr std::array kFormats = {PixelFormat::gray8, PixelFormat::rgb,  PixelFormat::bgr,
                                 PixelFormat::rgbx,  PixelFormat::bgrx, PixelFormat::nv12,
                                 PixelFormat::i420,  PixelFormat::yuy2, PixelFormat::uyvy};
constexpr std::array kSizes = {Size{384, 288}, Size{385, 289}, Size{385, 385}, Size{17, 5}, Size{2, 3}, Size{1, 1}};

/// The heat map's colour at a pixel, straight from its definition.
Rgba heat_at(const Detection& d, const OverlayOptions& options, int x, int y) {
  const double u = (x + 0.5 - d.mapping.offset_x) / d.mapping.scale_x;
  const double v = (y + 0.5 - d.mapping.offset_y) / d.mapping.scale_y;
  if (!(u >= 0 && u < d.map.width && v >= 0 && v < d.map.height)) return {};
  const auto sample = [&](double column, double row) {
    return static_cast<double>(d.map.at(std::clamp(static_cast<int>(column), 0, d.map.width - 1),
                                        std::clamp(static_cast<int>(row), 0, d.map.height - 1)));
  };
  const double left = std::floor(u - 0.5);
  const double top = std::floor(v - 0.5);
  const double fx = u - 0.5 - left;
  const double fy = v - 0.5 - top;
  const double raw = (1 - fy) * ((1 - fx) * sample(left, top) + fx * sample(left + 1, top)) +
                     fy * ((1 - fx) * sample(left, top + 1) + fx * sample(left + 1, top + 1));
  const double shown = raw / (raw + d.calibrated_threshold);
  if (shown <= options.floor) return {};
  const double t = std::min(1.0, (shown - options.floor) / std::min(kHeatRise, 1 - options.floor));
  static const std::array kTables = {colormap_table(Colormap::jet), colormap_table(Colormap::turbo),
                                     colormap_table(Colormap::inferno), colormap_table(Colormap::viridis)};
  const Rgb colour =
      kTables.at(static_cast<std::size_t>(options.colormap)).at(static_cast<std::size_t>(std::lround(shown * 255)));
  return {static_cast<double>(colour.r), static_cast<double>(colour.g), static_cast<double>(colour.b),
          options.opacity * t * t * (3 - 2 * t)};
}

OverlayOptions only(OverlayParts parts) {
  OverlayOptions options;
  options.parts = parts;
  return options;
}

constexpr OverlayParts kHeatOnly{true, false, false, false};
constexpr OverlayParts kLines{false, true, true, false};
constexpr OverlayParts kAll{true, true, true, true};

/// Smooth hills, two of them well above the threshold, one cut by the map's border.
Detection hills(Size frame) {
  Detection d;
  d.calibrated_threshold = 20;
  d.anomalous = true;
  d.raw_score = 90;
  d.score = 90.0 / 110;
  d.map = {48, 32, {}};
  const auto hill = [](double x, double y, double cx, double cy, double width, double height) {
    return height * std::exp(-((x - cx) * (x - cx) + (y - cy) * (y - cy)) / (2 * width * width));
  };
  for (int y = 0; y < 32; ++y) {
    for (int x = 0; x < 48; ++x) {
      d.map.values.push_back(
          static_cast<float>(3 + hill(x, y, 14, 12, 4, 87) + hill(x, y, 47, 28, 3, 60) + hill(x, y, 30, 5, 1.5, 25)));
    }
  }
  d.mapping = {0, 0, frame.width / 48.0, frame.height / 32.0};
  d.regions = {
      {frame.width / 6, frame.height / 5, std::max(1, frame.width / 4), std::max(1, frame.height / 3), 9, 0.8}};
  return d;
}

Detection normal(Size frame) {
  Detection d = hills(frame);
  for (float& value : d.map.values) value = std::min(value, 8.0F);  // shown 0.28, below the floor
  d.raw_score = 8;
  d.score = 8.0 / 28;
  d.anomalous = false;
  d.regions.clear();
  return d;
}

/// Within one step of ink (at most 2 of 255 at this opacity), one of the colour table and one of rounding.
constexpr double kHeatTolerance = 3;

// In every format, size and direction of rows the heat map is what the formulas say, and no other byte changes.
TEST(Overlay, HeatMapEqualsTheFormulas) {
  Overlay overlay(only(kHeatOnly));
  for (const PixelFormat format : kFormats) {
    for (const Size size : kSizes) {
      for (const Rows rows : {Rows::downwards, Rows::upwards}) {
        SCOPED_TRACE(testing::PrintToString(format) + " " + std::to_string(size.width) + "x" +
                     std::to_string(size.height));
        const Picture before(format, size, rows);
        Picture drawn(format, size, rows);
        const Detection d = hills(size);
        overlay.draw(drawn.view, d);
        expect_painted(before, drawn, kHeatTolerance, [&](int x, int y) { return heat_at(d, {}, x, y); });
      }
    }
  }
}

// The map may cover a part of the frame, or reach beyond it, at any fraction of a pixel.
TEST(Overlay, HeatMapFollowsTheMapping) {
  const FrameMapping mappings[] = {{20, 10, 2, 2}, {-30.3, -17.7, 3.1, 2.9}, {33.5, 21.5, 0.37, 0.91}, {-500, 0, 2, 2},
                                   {1e9, 0, 2, 2}, {0, 0, 1000, 1000},       {0, 0, 1e-3, 1e-3},       {7, 7, 1, 1}};
  Overlay overlay(only(kHeatOnly));
  for (const PixelFormat format : {PixelFormat::bgr, PixelFormat::nv12, PixelFormat::uyvy}) {
    for (const FrameMapping& mapping : mappings) {
      SCOPED_TRACE(testing::PrintToString(format) + " offset " + std::to_string(mapping.offset_x) + " scale " +
                   std::to_string(mapping.scale_x));
      const Picture before(format, {129, 97});
      Picture drawn(format, {129, 97});
      Detection d = hills({129, 97});
      d.mapping = mapping;
      overlay.draw(drawn.view, d);
      expect_painted(before, drawn, kHeatTolerance, [&](int x, int y) { return heat_at(d, {}, x, y); });
    }
  }
}

// Isolated hot samples of a map about as fine as the frame end up in neighbouring spans that share chroma samples.
TEST(Overlay, HeatMapOfScatteredSamples) {
  std::mt19937 random(5);
  for (const double scale : {0.4, 0.9, 1.0, 1.3, 2.5}) {
    for (const PixelFormat format : {PixelFormat::nv12, PixelFormat::yuy2, PixelFormat::rgb}) {
      SCOPED_TRACE(testing::PrintToString(format) + " scale " + std::to_string(scale));
      Detection d;
      d.calibrated_threshold = 10;
      d.map = {61, 43, std::vector<float>(61 * 43)};
      for (float& value : d.map.values) value = random() % 9 == 0 ? static_cast<float>(random() % 40) : 0.0F;
      d.mapping = {1.3, 0.6, scale, scale};
      const Picture before(format, {75, 51});
      Picture drawn(format, {75, 51});
      Overlay(only(kHeatOnly)).draw(drawn.view, d);
      expect_painted(before, drawn, kHeatTolerance, [&](int x, int y) { return heat_at(d, {}, x, y); });
    }
  }
}

/// The map's colour at a pixel: of its score on the whole scale, black outside.
Rgba map_at(const Detection& d, Colormap colormap, int x, int y) {
  Rgba colour = heat_at(d, {kHeatOnly, colormap, 1, 0}, x, y);
  if (colour.alpha == 0) return {0, 0, 0, 1};
  colour.alpha = 1;
  return colour;
}

// The map alone covers the whole frame, in every format and size, wherever the map lies in it.
TEST(Overlay, MapEqualsTheFormulas) {
  const FrameMapping whole_and_part[] = {{0, 0, 0, 0}, {20.5, 11, 1.5, 1.25}};
  for (const PixelFormat format : kFormats) {
    if (format == PixelFormat::gray8) continue;
    for (const Size size : kSizes) {
      for (const FrameMapping& mapping : whole_and_part) {
        SCOPED_TRACE(testing::PrintToString(format) + " " + std::to_string(size.width) + "x" +
                     std::to_string(size.height));
        OverlayOptions options = only({false, false, false, false});
        options.base = OverlayBase::map;
        const Picture before(format, size);
        Picture drawn(format, size);
        Detection d = hills(size);
        if (mapping.scale_x > 0) d.mapping = mapping;
        Overlay(options).draw(drawn.view, d);
        expect_painted(before, drawn, 5, [&](int x, int y) { return map_at(d, options.colormap, x, y); });
      }
    }
  }
}

// Without colours the lightness is the score.
TEST(Overlay, MapIsGreyWhereThereAreNoColours) {
  const Size size{96, 64};
  OverlayOptions options = only({false, false, false, false});
  options.base = OverlayBase::map;
  for (const double shown : {0.0, 0.1, 0.5, 0.9}) {
    Detection d = hills(size);
    std::fill(d.map.values.begin(), d.map.values.end(), static_cast<float>(raw_score(shown, d.calibrated_threshold)));
    Picture drawn(PixelFormat::gray8, size);
    Overlay(options).draw(drawn.view, d);
    for (int y = 0; y < size.height; ++y) {
      for (int x = 0; x < size.width; ++x) {
        ASSERT_NEAR(drawn.bytes[drawn.index(x, y, 0)], 255 * shown, 1.5) << x << "," << y;
      }
    }
  }
}

// A caption says what is asked for; a score just below the threshold never looks like it.
TEST(Overlay, CaptionsSayWhatIsAskedFor) {
  Detection d = hills({96, 64});
  d.score = 0.4999;
  d.anomalous = false;
  std::string text = "old";
  write_caption(d, {}, text);
  EXPECT_EQ(text, "0.49 normal");
  d.anomalous = true;
  write_caption(d, {false, true, 29.97}, text);
  EXPECT_EQ(text, "ANOMALY 30.0 fps");
  write_caption(d, {true, false, 0}, text);
  EXPECT_EQ(text, "0.49");
  write_caption(d, {false, false, 0}, text);
  EXPECT_EQ(text, "");
  write_caption(d, {true, true, 0, SceneCause::defocused}, text);
  EXPECT_EQ(text, "0.49 ANOMALY scene changed: defocused");
}

// Colour map, opacity, floor, matrix and range each have their documented effect.
TEST(Overlay, HeatMapHonoursOptionsAndColourSpace) {
  const Size size{65, 49};
  const Detection d = hills(size);
  for (const Colormap colormap : {Colormap::jet, Colormap::turbo, Colormap::inferno, Colormap::viridis}) {
    for (const double floor : {0.0, 0.3, 0.75, 1.0}) {
      for (const YuvMatrix matrix : {YuvMatrix::bt601, YuvMatrix::bt709, YuvMatrix::bt2020}) {
        for (const YuvRange range : {YuvRange::limited, YuvRange::full}) {
          const OverlayOptions options{kHeatOnly, colormap, floor == 0.3 ? 0.2 : 0.6, floor};
          const Picture before(PixelFormat::i420, size);
          Picture drawn(PixelFormat::i420, size);
          drawn.view.matrix = matrix;
          drawn.view.range = range;
          Picture reference(PixelFormat::i420, size);
          reference.view.matrix = matrix;
          reference.view.range = range;
          Overlay(options).draw(drawn.view, d);
          SCOPED_TRACE(to_string(colormap) + " floor " + std::to_string(floor));
          expect_painted(reference, drawn, 4, [&](int x, int y) { return heat_at(d, options, x, y); });
        }
      }
    }
  }
}

// A normal frame without caption keeps every byte, in every format, and so does an opacity of nothing.
TEST(Overlay, LeavesNormalFramesAlone) {
  OverlayOptions all_but_text = only({true, true, true, false});
  for (const PixelFormat format : kFormats) {
    for (const Size size : kSizes) {
      const Picture before(format, size);
      Picture drawn(format, size);
      Overlay(all_but_text).draw(drawn.view, normal(size));
      EXPECT_EQ(drawn.bytes, before.bytes) << testing::PrintToString(format);
      OverlayOptions invisible = only(kHeatOnly);
      invisible.opacity = 0;
      Overlay(invisible).draw(drawn.view, hills(size));
      EXPECT_EQ(drawn.bytes, before.bytes) << testing::PrintToString(format);
      Overlay(only({false, false, false, false})).draw(drawn.view, hills(size), "text");
      EXPECT_EQ(drawn.bytes, before.bytes) << testing::PrintToString(format);
    }
  }
}

// Whether drawing changes a pixel is known before, for all parts, of normal frames and of anomalous ones.
TEST(Overlay, KnowsWhetherItChangesAPixel) {
  const Size size{384, 288};
  const Picture before(PixelFormat::bgr, size);
  const bool is[] = {false, true};
  for (const Detection& d : {hills(size), normal(size)}) {
    for (int mask = 0; mask < 16; ++mask) {
      for (const double opacity : {0.0, 0.5}) {
        for (const OverlayBase base : {OverlayBase::frame, OverlayBase::map}) {
          OverlayOptions options = only({is[mask & 1], is[mask >> 1 & 1], is[mask >> 2 & 1], is[mask >> 3]});
          options.opacity = opacity;
          options.base = base;
          Overlay overlay(options);
          EXPECT_EQ(overlay.options(), options);
          Picture drawn(PixelFormat::bgr, size);
          overlay.draw(drawn.view, d);
          EXPECT_EQ(overlay.changes(d), drawn.bytes != before.bytes)
              << "parts " << mask << ", opacity " << opacity << (d.anomalous ? ", anomalous" : ", normal");
        }
      }
    }
  }
}

// What is not a number is drawn as cold, what is infinite as hottest; neither spreads beyond the neighbouring samples.
TEST(Overlay, SurvivesValuesThatAreNotFinite) {
  const Size size{48, 32};
  Detection odd = normal(size);
  Detection even = odd;
  odd.map.values[5 * 48 + 7] = std::numeric_limits<float>::infinity();
  even.map.values[5 * 48 + 7] = 1000 * 20.0F;
  odd.map.values[5 * 48 + 8] = std::numeric_limits<float>::quiet_NaN();
  even.map.values[5 * 48 + 8] = 0;
  odd.map.values[20 * 48 + 8] = -std::numeric_limits<float>::infinity();
  even.map.values[20 * 48 + 8] = 0;
  Picture a(PixelFormat::nv12, size);
  Picture b(PixelFormat::nv12, size);
  Overlay(only(kHeatOnly)).draw(a.view, odd);
  Overlay(only(kHeatOnly)).draw(b.view, even);
  EXPECT_EQ(a.bytes, b.bytes);
  odd.anomalous = true;
  Overlay(only(kAll)).draw(a.view, odd);
}

/// Lines and text are grey: drawn on black and on white they tell their opacity and grey at each pixel.
struct Greys {
  Picture black;
  Picture white;

  Greys(const OverlayOptions& options, const Detection& d, Size size, const std::string& text)
      : black(PixelFormat::gray8, size), white(PixelFormat::gray8, size) {
    std::fill(black.bytes.begin(), black.bytes.end(), std::uint8_t{0});
    std::fill(white.bytes.begin(), white.bytes.end(), std::uint8_t{255});
    Overlay(options).draw(black.view, d, text);
    Overlay(options).draw(white.view, d, text);
  }

  [[nodiscard]] double at(int x, int y) const { return black.bytes[black.index(x, y, 0)]; }
  [[nodiscard]] Rgba paint(int x, int y) const {
    const double alpha = 1 - (white.bytes[white.index(x, y, 0)] - at(x, y)) / 255;
    const double grey = alpha > 0 ? at(x, y) / alpha : 0;
    return {grey, grey, grey, alpha};
  }
};

// Lines, boxes and text look the same in every format: each blends what gray8 says into its own samples.
TEST(Overlay, AnnotationsAreTheSameInEveryFormat) {
  const OverlayOptions options = only({false, true, true, true});
  for (const Size size : kSizes) {
    const Detection d = hills(size);
    for (const std::string& text :
         {std::string(), std::string("caf\xC3\xA9 line 3: a caption wider than the frame is clipped")}) {
      const Greys greys(options, d, size, text);
      for (const PixelFormat format : kFormats) {
        SCOPED_TRACE(testing::PrintToString(format) + " " + std::to_string(size.width) + " " + text);
        const Picture before(format, size, Rows::upwards);
        Picture drawn(format, size, Rows::upwards);
        Overlay(options).draw(drawn.view, d, text);
        expect_painted(before, drawn, 2.5, [&](int x, int y) { return greys.paint(x, y); });
      }
    }
  }
}

// Around a cone the contour is the circle where it crosses the threshold: closed, about 2 pixels wide, nothing else.
TEST(Overlay, ContourOfAConeIsACircle) {
  const Size size{640, 480};
  Detection d = hills(size);
  d.map = {80, 60, {}};
  d.mapping = {0, 0, 8, 8};
  for (int y = 0; y < 60; ++y) {
    for (int x = 0; x < 80; ++x)
      d.map.values.push_back(static_cast<float>(45 - std::hypot(x + 0.5 - 40, y + 0.5 - 30)));
  }
  constexpr double kRadius = (45 - 20) * 8;  // raw threshold 20
  const Greys greys(only({false, true, false, false}), d, size, {});
  std::array<bool, 360> seen{};
  double area = 0;
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      const double dx = x + 0.5 - 320;
      const double dy = y + 0.5 - 240;
      if (greys.paint(x, y).alpha > 0) {
        EXPECT_NEAR(std::hypot(dx, dy), kRadius, 3) << x << ',' << y;
      }
      if (greys.at(x, y) < 128) continue;
      area += 1;
      seen.at(static_cast<std::size_t>((std::atan2(dy, dx) + M_PI) * 179.9 / M_PI)) = true;
    }
  }
  EXPECT_EQ(std::count(seen.begin(), seen.end(), true), 360);
  EXPECT_NEAR(area / (2 * M_PI * kRadius), 2, 0.5);
}

// A box runs along the region's border, and a normal frame has neither box nor contour.
TEST(Overlay, BoxesRunAlongTheRegions) {
  const Size size{640, 480};
  Detection d = hills(size);
  d.regions = {{100, 200, 150, 80, 1000, 0.8}};
  const Greys greys(only({false, false, true, false}), d, size, {});
  for (const int x : {110, 175, 240}) {
    EXPECT_GT(greys.at(x, 279), 200) << x;  // bottom line, inner row
    EXPECT_GT(greys.at(x, 280), 200) << x;  // and outer row
    EXPECT_EQ(greys.paint(x, 290).alpha, 0) << x;
    EXPECT_EQ(greys.paint(x, 270).alpha, 0) << x;
  }
  for (const int y : {205, 240, 275}) {
    EXPECT_GT(greys.at(100, y), 200) << y;
    EXPECT_GT(greys.at(249, y), 200) << y;
    EXPECT_EQ(greys.paint(150, y).alpha, 0) << y;
  }
  EXPECT_GT(greys.paint(104, 196).alpha, 0.5) << "no score above the box";
  d.anomalous = false;
  const Greys nothing(only(kLines), d, size, {});
  EXPECT_EQ(std::count(nothing.black.bytes.begin(), nothing.black.bytes.end(), 0),
            static_cast<std::ptrdiff_t>(nothing.black.bytes.size()));
}

// The caption sits at the top left on a dark backing, differs with the text, and grows with the frame.
TEST(Overlay, CaptionSitsAtTheTopLeft) {
  const auto backing = [](Size size, const std::string& text) {
    const Greys greys(only({false, false, false, true}), normal(size), size, text);
    Size found{0, 0};
    for (int y = 0; y < size.height; ++y) {
      for (int x = 0; x < size.width; ++x) {
        if (greys.paint(x, y).alpha > 0.1) found = {std::max(found.width, x), std::max(found.height, y)};
      }
    }
    return found;
  };
  const Size small = backing({640, 480}, {});
  const Size large = backing({1280, 960}, {});
  EXPECT_GT(small.width, 100);
  EXPECT_LT(small.width, 320);
  EXPECT_LT(small.height, 60);
  EXPECT_NEAR(large.width, 2 * small.width, 20);
  EXPECT_NEAR(large.height, 2 * small.height, 6);
  EXPECT_GT(backing({640, 480}, "a longer text than that").width, small.width);
  EXPECT_EQ(backing({640, 480}, "0.28 normal"), small) << "the default caption names the score and the state";
  EXPECT_EQ(backing({48, 32}, {}), Size{}) << "text too small to be read is left out";
}

// Scratch memory carries nothing over: an overlay used on other frames before draws as a new one does.
TEST(Overlay, RemembersNothing) {
  Overlay used(only(kAll));
  for (int round = 0; round < 2; ++round) {
    for (const Size size : {Size{385, 289}, Size{640, 480}, Size{17, 5}, Size{384, 288}}) {
      for (const PixelFormat format : kFormats) {
        Picture a(format, size);
        Picture b(format, size);
        used.draw(a.view, hills(size));
        Overlay(only(kAll)).draw(b.view, hills(size));
        EXPECT_EQ(a.bytes, b.bytes) << testing::PrintToString(format) << size.width;
      }
    }
  }
}

// Options and maps that make no sense are refused with the reason.
TEST(Overlay, RefusesInvalidArguments) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  for (const double value : {-0.01, 1.01, kNan}) {
    OverlayOptions opacity;
    opacity.opacity = value;
    EXPECT_THROW(Overlay{opacity}, Error) << value;
    OverlayOptions floor;
    floor.floor = value;
    EXPECT_THROW(Overlay{floor}, Error) << value;
  }
  Picture picture(PixelFormat::rgb, {8, 8});
  Detection d = hills({8, 8});
  d.map.values.pop_back();
  EXPECT_THROW(Overlay().draw(picture.view, d), Error);
  d.map = {};
  EXPECT_NO_THROW(Overlay(only(kAll)).draw(picture.view, d)) << "without a map there is no heat";
}

}  // namespace
}  // namespace padim
