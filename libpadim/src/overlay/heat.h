#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "overlay/canvas.h"
#include "padim/geometry.h"
#include "padim/image_view.h"
#include "padim/overlay.h"
#include "padim/score_map.h"

namespace padim {

/// The ink of shown score `shown` in (floor, 1): 1 just above the floor to 255; palettes of the heat map are built for
/// the same floor.
[[nodiscard]] Palette heat_palette(const OverlayOptions& options, const ColourSpace& space);

/// The same for the heat map alone: opaque, from score 0 on. Made for the floor kMapFloor.
[[nodiscard]] Palette map_palette(Colormap colormap, const ColourSpace& space);
inline constexpr double kMapFloor = -1.0 / 254;  ///< just below 0, so that every score has ink

/// Upsamples a score map to frame pixels where it is hot and lays the heat map on the frame.
class HeatMap {
 public:
  /// Blackens the whole frame.
  void clear(const MutableImageView& frame, const ColourSpace& space);

  /// floor: shown score below 1 up to which nothing is drawn. palette: of heat_palette with the same floor.
  void draw(const MutableImageView& frame, const ScoreMap& map, const FrameMapping& mapping, double calibrated,
            double floor, const Palette& palette);

 private:
  /// How one axis of the frame reads the map. The samples of the map sit at the middle of their cells; the first and
  /// the last one are repeated outwards, so n samples have n + 1 gaps: pixel p lies in gap[p], between samples gap - 1
  /// and gap, at fraction[p] of the way.
  struct Axis {
    double offset = 0;
    double scale = 0;
    int samples = 0;
    int pixels = 0;
    int begin = 0;  ///< pixels whose centre lies in the map: [begin, end)
    int end = 0;
    std::vector<int> gap;
    std::vector<float> fraction;
    std::vector<int> first_pixel;  ///< of each gap, and one past the last

    void build(double new_offset, double new_scale, int new_samples, int new_pixels);
  };

  /// Neighbouring gaps that may be hot, and their pixels.
  struct Span {
    int gap_begin = 0;
    int gap_end = 0;
    int pixel_begin = 0;
    int pixel_end = 0;
  };

  bool find_hot_rows(const ScoreMap& map, float raw_floor);
  void find_spans(const ScoreMap& map, int first_row, int last_row, float raw_floor);
  void add_span(int gap_begin, int gap_end);
  void fill_ink(const ScoreMap& map, const Span& span, int y, std::uint8_t* ink);
  void draw_band(const MutableImageView& frame, const ScoreMap& map, int y, const Palette& palette);

  Axis x_;
  Axis y_;
  float calibrated_ = 1;
  float floor_ = 0;
  std::vector<std::uint8_t> hot_rows_;
  std::vector<std::uint8_t> hot_columns_;
  std::vector<Span> spans_;
  std::vector<float> samples_;  ///< one row of the map at a pixel's height, ends repeated: samples + 2
  std::vector<float> values_;   ///< the same at each pixel of a span
  std::vector<std::uint8_t> ink_[2];
};

}  // namespace padim
