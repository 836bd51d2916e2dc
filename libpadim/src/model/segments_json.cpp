#include "model/segments_json.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <utility>

namespace padim {
namespace {

constexpr std::size_t kMaximumSegments = 64;
constexpr std::int64_t kManyFrames = std::int64_t{1} << 50;

// Strides double by thinning, so that any two of them can be brought together.
SegmentView segment_from_json(const nlohmann::ordered_json& json) {
  SegmentView view;
  view.statistics.count = json.at("count").get<double>();
  view.weight = json.at("weight").get<double>();
  view.frames = json.at("frames").get<std::int64_t>();
  view.stride = json.at("stride").get<std::int64_t>();
  view.stretch = json.at("apart").get<bool>();
  const bool sane = std::isfinite(view.statistics.count) && view.statistics.count >= 0 && view.weight > 0 &&
                    view.weight <= 1 && view.frames >= 0 && view.frames < kManyFrames && view.stride >= 1 &&
                    view.stride <= Segments::kLargestStride &&
                    std::has_single_bit(static_cast<std::uint64_t>(view.stride));
  if (!sane) throw std::out_of_range("a segment's numbers are outside their ranges");
  return view;
}

}  // namespace

nlohmann::ordered_json segments_to_json(const Segments& segments) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (int i = 0; i < segments.size(); ++i) {
    const SegmentView view = segments.view(i);
    list.push_back({{"count", view.statistics.count},
                    {"weight", view.weight},
                    {"frames", view.frames},
                    {"stride", view.stride},
                    {"apart", view.stretch}});
  }
  return {{"capacity", segments.capacity()}, {"list", std::move(list)}};
}

std::vector<SegmentView> segments_from_json(const nlohmann::ordered_json& json, std::int64_t& capacity) {
  capacity = json.at("capacity").get<std::int64_t>();
  if (capacity < 1 || capacity >= kManyFrames) throw std::out_of_range("'capacity' is outside its range");
  const auto& list = json.at("list");
  if (list.empty() || list.size() > kMaximumSegments) throw std::out_of_range("the number of segments is not usable");
  std::vector<SegmentView> views;
  for (const auto& segment : list) views.push_back(segment_from_json(segment));
  return views;
}

}  // namespace padim
