// Pillow's antialiased resize (Resample.c, 8 bits per channel): output i is centred at begin + (i + 0.5) * scale; its
// filter is widened by max(scale, 1) and normalised to sum 1; weights are rounded to 22 fractional bits; each pass
// rounds to 8 bits. Must equal Pillow's LANCZOS and BILINEAR exactly in horizontal_first order.

#include "image/resample.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "image/resample_kernel.h"

namespace padim {
namespace {

double sinc(double x) { return x == 0 ? 1 : std::sin(x * std::numbers::pi) / (x * std::numbers::pi); }

double filter_value(ResampleFilter filter, double x) {
  x = std::abs(x);
  if (filter == ResampleFilter::triangle) return x < 1 ? 1 - x : 0;
  return x < 3 ? sinc(x) * sinc(x / 3) : 0;
}

double filter_support(ResampleFilter filter) { return filter == ResampleFilter::triangle ? 1 : 3; }

std::int32_t fixed_point(double weight) {
  const double scaled = weight * (1 << kResampleBits);
  return static_cast<std::int32_t>(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
}

}  // namespace

ResampleAxis make_resample_axis(int input, double begin, double end, int output, int skip, int length,
                                ResampleFilter filter) {
  const double scale = (end - begin) / output;
  const double filter_scale = std::max(scale, 1.0);
  const double support = filter_support(filter) * filter_scale;
  ResampleAxis axis;
  axis.taps = static_cast<int>(std::ceil(support)) * 2 + 1;
  axis.weights.assign(static_cast<std::size_t>(length) * static_cast<std::size_t>(axis.taps), 0);
  std::vector<double> row(static_cast<std::size_t>(axis.taps));
  for (int i = 0; i < length; ++i) {
    const double center = begin + (skip + i + 0.5) * scale;
    const int first = std::max(static_cast<int>(center - support + 0.5), 0);
    const int count = std::min(static_cast<int>(center + support + 0.5), input) - first;
    double sum = 0;
    for (int t = 0; t < count; ++t) {
      row[static_cast<std::size_t>(t)] = filter_value(filter, (t + first - center + 0.5) / filter_scale);
      sum += row[static_cast<std::size_t>(t)];
    }
    auto* weights = axis.weights.data() + static_cast<std::size_t>(i) * static_cast<std::size_t>(axis.taps);
    for (int t = 0; t < count; ++t) weights[t] = fixed_point(sum == 0 ? 0 : row[static_cast<std::size_t>(t)] / sum);
    axis.first.push_back(first);
    axis.count.push_back(count);
  }
  return axis;
}

Resampler::Resampler(ResampleAxis horizontal, ResampleAxis vertical, ResampleOrder order)
    : horizontal_(std::move(horizontal)), vertical_(std::move(vertical)), order_(order) {}

void Resampler::run(const Samples& input, std::uint8_t* output) {
  const int width = static_cast<int>(horizontal_.first.size());
  const int height = static_cast<int>(vertical_.first.size());
  const auto vertical_pass = [&](const Samples& from, std::uint8_t* to) {
    const int row_bytes = from.width * from.channels;
    for (int y = 0; y < height; ++y) {
      const auto i = static_cast<std::size_t>(y);
      weighted_rows(from.data + vertical_.first[i] * from.stride, from.stride,
                    vertical_.weights.data() + i * static_cast<std::size_t>(vertical_.taps), vertical_.count[i],
                    row_bytes, to + static_cast<std::ptrdiff_t>(y) * row_bytes);
    }
  };
  const auto horizontal_pass = [&](const Samples& from, std::uint8_t* to) {
    const int from_bytes = from.width * from.channels;
    const int to_bytes = width * from.channels;
    columns_.resize(static_cast<std::size_t>(from_bytes + to_bytes) * kColumnRows);
    const int together = std::min(from_bytes, to_bytes) >= 16 ? from.height / kColumnRows * kColumnRows : 0;
    for (int y = 0; y < together; y += kColumnRows) {
      weighted_columns_of_rows(from.data + y * from.stride, from.stride, from_bytes, from.channels, horizontal_,
                               columns_.data(), to + static_cast<std::ptrdiff_t>(y) * to_bytes);
    }
    for (int y = together; y < from.height; ++y) {
      weighted_columns(from.data + y * from.stride, from.channels, horizontal_,
                       to + static_cast<std::ptrdiff_t>(y) * to_bytes);
    }
  };
  const bool horizontal_first = order_ == ResampleOrder::horizontal_first;
  const Size between = horizontal_first ? Size{width, input.height} : Size{input.width, height};
  scratch_.resize(static_cast<std::size_t>(between.width) * static_cast<std::size_t>(between.height) *
                  static_cast<std::size_t>(input.channels));
  const Samples middle{scratch_.data(), static_cast<std::ptrdiff_t>(between.width) * input.channels, between.width,
                       between.height, input.channels};
  if (horizontal_first) {
    horizontal_pass(input, scratch_.data());
    vertical_pass(middle, output);
  } else {
    vertical_pass(input, scratch_.data());
    horizontal_pass(middle, output);
  }
}

}  // namespace padim
