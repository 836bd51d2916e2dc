// Each plane of a frame is resized in its own format and only the small result becomes R'G'B': both steps are linear up
// to rounding, and the small picture has a fortieth of the pixels of a 1080p frame. Packed 4:2:2 is read twice, as
// 2-channel pixels for Y and as 4-channel pairs for chroma.

#include "image/preprocess.h"

#include <cmath>
#include <string>
#include <utility>

#include "image/color_kernel.h"
#include "padim/error.h"

namespace padim {
namespace {

void pick_rgb(const std::uint8_t* from, int channels, int red, int blue, std::span<std::uint8_t> rgb) {
  const int green = channels == 1 ? 0 : 1;
  for (std::size_t i = 0; i < rgb.size(); i += 3, from += channels) {
    rgb[i] = from[red];
    rgb[i + 1] = from[green];
    rgb[i + 2] = from[blue];
  }
}

void convert(const ImageView& frame, const std::vector<std::vector<std::uint8_t>>& planes,
             std::span<std::uint8_t> rgb) {
  const auto convert_yuv = [&](ColorChannel y, ColorChannel u, ColorChannel v) {
    yuv_to_rgb(y, u, v, yuv_coefficients(frame.matrix, frame.range), static_cast<int>(rgb.size() / 3), rgb.data());
  };
  const std::uint8_t* first = planes[0].data();
  const std::uint8_t* second = planes.size() > 1 ? planes[1].data() : nullptr;
  switch (frame.format) {
    case PixelFormat::gray8:
      return pick_rgb(first, 1, 0, 0, rgb);
    case PixelFormat::rgb:
      return pick_rgb(first, 3, 0, 2, rgb);
    case PixelFormat::bgr:
      return pick_rgb(first, 3, 2, 0, rgb);
    case PixelFormat::rgbx:
      return pick_rgb(first, 4, 0, 2, rgb);
    case PixelFormat::bgrx:
      return pick_rgb(first, 4, 2, 0, rgb);
    case PixelFormat::nv12:
      return convert_yuv({first, 1}, {second, 2}, {second + 1, 2});
    case PixelFormat::i420:
      return convert_yuv({first, 1}, {second, 1}, {planes[2].data(), 1});
    case PixelFormat::yuy2:
      return convert_yuv({first, 2}, {second + 1, 4}, {second + 3, 4});
    case PixelFormat::uyvy:
      return convert_yuv({first + 1, 2}, {second, 4}, {second + 2, 4});
  }
}

void check(const ImageView& frame) {
  bool complete = frame.width > 0 && frame.height > 0;
  for (int p = 0; complete && p < plane_count(frame.format); ++p) {
    complete = frame.data[static_cast<std::size_t>(p)] != nullptr;
  }
  if (!complete) throw Error(ErrorCode::invalid_argument, "an image view without pixels cannot be processed");
}

}  // namespace

Preprocessor::Preprocessor(Geometry geometry) : geometry_(std::move(geometry)) {}

std::vector<Preprocessor::Component> Preprocessor::components_of(PixelFormat format) {
  switch (format) {
    case PixelFormat::gray8:
      return {{0, 1, 1, 1}};
    case PixelFormat::rgb:
    case PixelFormat::bgr:
      return {{0, 3, 1, 1}};
    case PixelFormat::rgbx:
    case PixelFormat::bgrx:
      return {{0, 4, 1, 1}};
    case PixelFormat::nv12:
      return {{0, 1, 1, 1}, {1, 2, 2, 2}};
    case PixelFormat::i420:
      return {{0, 1, 1, 1}, {1, 1, 2, 2}, {2, 1, 2, 2}};
    case PixelFormat::yuy2:
    case PixelFormat::uyvy:
      return {{0, 2, 1, 1}, {0, 4, 2, 1}};
  }
  throw Error(ErrorCode::invalid_argument, "unknown pixel format");
}

Preprocessor::Part Preprocessor::part_of(const Roi& source, const Component& component) {
  constexpr double kSlack = 1e-9;  // rounding of the source must not add a sample
  const auto first = [](double begin, int factor) { return static_cast<int>(std::floor(begin / factor + kSlack)); };
  const auto last = [](double end, int factor) { return static_cast<int>(std::ceil(end / factor - kSlack)); };
  const int left = first(source.x, component.subsampling_x);
  const int top = first(source.y, component.subsampling_y);
  return {left, top, last(source.x + source.width, component.subsampling_x) - left,
          last(source.y + source.height, component.subsampling_y) - top};
}

Samples Preprocessor::samples_of(const ImageView& frame, const Component& component, const Part& part) {
  const auto plane = static_cast<std::size_t>(component.plane);
  const std::uint8_t* first =
      frame.data[plane] + part.top * frame.stride[plane] + std::ptrdiff_t{part.left} * component.channels;
  return {first, frame.stride[plane], part.width, part.height, component.channels};
}

Resampler Preprocessor::make_resampler(const Crop& crop, const Component& component, const Part& part) const {
  const bool paper = geometry_.mode == GeometryMode::paper;
  const auto filter = paper ? ResampleFilter::lanczos3 : ResampleFilter::triangle;
  // Seen from the part's first sample: the filter reads nothing outside the part.
  const auto axis = [&](double from, double length, int subsampling, int first, int samples, int resized, int skip,
                        int kept) {
    const double begin = from / subsampling - first;
    return make_resample_axis(samples, begin, begin + length / subsampling, resized, skip, kept, filter);
  };
  const Roi& source = crop.source;
  return {axis(source.x, source.width, component.subsampling_x, part.left, part.width, crop.resized.width, crop.left,
               geometry_.input.width),
          axis(source.y, source.height, component.subsampling_y, part.top, part.height, crop.resized.height, crop.top,
               geometry_.input.height),
          paper ? ResampleOrder::horizontal_first : ResampleOrder::vertical_first};
}

void Preprocessor::prepare(const ImageView& frame) {
  const Size size{frame.width, frame.height};
  if (!resamplers_.empty() && frame.format == format_ && size == frame_) return;
  const FrameMapping mapping = map_to_frame(geometry_, size);
  const Crop crop = crop_of(geometry_, size);
  const auto pixels =
      static_cast<std::size_t>(geometry_.input.width) * static_cast<std::size_t>(geometry_.input.height);
  parts_.clear();
  resamplers_.clear();
  planes_.clear();
  components_ = components_of(frame.format);
  for (const Component& component : components_) {
    parts_.push_back(part_of(crop.source, component));
    resamplers_.push_back(make_resampler(crop, component, parts_.back()));
    planes_.emplace_back(pixels * static_cast<std::size_t>(component.channels));
  }
  format_ = frame.format;
  frame_ = size;
  mapping_ = mapping;
}

void Preprocessor::resample_planes(const ImageView& frame) {
  for (std::size_t i = 0; i < components_.size(); ++i) {
    resamplers_[i].run(samples_of(frame, components_[i], parts_[i]), planes_[i].data());
  }
}

FrameMapping Preprocessor::run(const ImageView& frame, std::span<std::uint8_t> output) {
  check(frame);
  prepare(frame);
  resample_planes(frame);
  convert(frame, planes_, output);
  return mapping_;
}

}  // namespace padim
