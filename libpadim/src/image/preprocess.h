#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "image/crop.h"
#include "image/resample.h"
#include "padim/geometry.h"
#include "padim/image_view.h"

namespace padim {

/// Turns frames of any format and size into the network's input picture: crop and antialiased resize as the geometry
/// says, then R'G'B'. Keeps its tables while format and size stay the same. One thread at a time.
class Preprocessor {
 public:
  explicit Preprocessor(Geometry geometry);

  /// Writes uint8 RGB [input.height, input.width, 3] to `output` and returns where it lies in the frame. Throws
  /// mismatch (shape) or invalid_argument (an empty or incomplete view).
  FrameMapping run(const ImageView& frame, std::span<std::uint8_t> output);

  [[nodiscard]] const Geometry& geometry() const { return geometry_; }

 private:
  // Where the samples of one component of a format lie and how they are interleaved.
  struct Component {
    int plane;
    int channels;
    int subsampling_x;
    int subsampling_y;
  };
  static std::vector<Component> components_of(PixelFormat format);
  // The samples of one component that the source of the crop touches.
  struct Part {
    int left;
    int top;
    int width;
    int height;
  };
  static Part part_of(const Roi& source, const Component& component);
  static Samples samples_of(const ImageView& frame, const Component& component, const Part& part);
  [[nodiscard]] Resampler make_resampler(const Crop& crop, const Component& component, const Part& part) const;

  void prepare(const ImageView& frame);
  void resample_planes(const ImageView& frame);

  Geometry geometry_;
  PixelFormat format_ = PixelFormat::rgb;
  Size frame_;
  FrameMapping mapping_;
  std::vector<Component> components_;
  std::vector<Part> parts_;                        // one per component
  std::vector<Resampler> resamplers_;              // likewise
  std::vector<std::vector<std::uint8_t>> planes_;  // resampled components
};

}  // namespace padim
