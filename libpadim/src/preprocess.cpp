// Each plane of a frame is resized in its own format and only the small result becomes R'G'B': both steps are linear up
// to rounding, and the small picture has a fortieth of the pixels of a 1080p frame. Packed 4:2:2 is read twice, as
// 2-channel pixels for Y and as 4-channel pairs for chroma. Y'CbCr to R'G'B' follows ITU-R BT.601, BT.709 and BT.2020.

#include "preprocess.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "padim/error.h"

namespace padim {
namespace {

// One colour component of the small picture: value at pixel i is data[i * step].
struct Channel {
  const std::uint8_t* data;
  int step;
};

struct Coefficients {
  float y_offset, y_scale, r_v, g_u, g_v, b_u;
};

Coefficients coefficients(YuvMatrix matrix, YuvRange range) {
  const double kr = matrix == YuvMatrix::bt601 ? 0.299 : matrix == YuvMatrix::bt709 ? 0.2126 : 0.2627;
  const double kb = matrix == YuvMatrix::bt601 ? 0.114 : matrix == YuvMatrix::bt709 ? 0.0722 : 0.0593;
  const double kg = 1 - kr - kb;
  const bool limited = range == YuvRange::limited;
  const double chroma = limited ? 255.0 / 224 : 1;
  const auto f = [](double x) { return static_cast<float>(x); };
  return {limited ? 16.0F : 0.0F,
          limited ? 255.0F / 219 : 1.0F,
          f(2 * (1 - kr) * chroma),
          f(2 * (1 - kb) * kb / kg * chroma),
          f(2 * (1 - kr) * kr / kg * chroma),
          f(2 * (1 - kb) * chroma)};
}

std::uint8_t to_byte(float value) { return static_cast<std::uint8_t>(std::clamp(value + 0.5F, 0.0F, 255.0F)); }

void yuv_to_rgb(Channel y, Channel u, Channel v, const Coefficients& k, std::span<std::uint8_t> rgb) {
  const int pixels = static_cast<int>(rgb.size() / 3);
  std::uint8_t* out = rgb.data();
  for (int i = 0; i < pixels; ++i, out += 3) {
    const float luma = (static_cast<float>(y.data[i * y.step]) - k.y_offset) * k.y_scale;
    const float cb = static_cast<float>(u.data[i * u.step]) - 128;
    const float cr = static_cast<float>(v.data[i * v.step]) - 128;
    out[0] = to_byte(luma + k.r_v * cr);
    out[1] = to_byte(luma - k.g_u * cb - k.g_v * cr);
    out[2] = to_byte(luma + k.b_u * cb);
  }
}

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
  const auto yuv = coefficients(frame.matrix, frame.range);
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
      return yuv_to_rgb({first, 1}, {second, 2}, {second + 1, 2}, yuv, rgb);
    case PixelFormat::i420:
      return yuv_to_rgb({first, 1}, {second, 1}, {planes[2].data(), 1}, yuv, rgb);
    case PixelFormat::yuy2:
      return yuv_to_rgb({first, 2}, {second + 1, 4}, {second + 3, 4}, yuv, rgb);
    case PixelFormat::uyvy:
      return yuv_to_rgb({first + 1, 2}, {second, 4}, {second + 2, 4}, yuv, rgb);
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
