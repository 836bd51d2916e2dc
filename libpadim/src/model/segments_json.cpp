#include "model/segments_json.h"

#include <algorithm>
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
SegmentsRecord::Segment segment_from_json(const nlohmann::ordered_json& json) {
  SegmentsRecord::Segment segment;
  SegmentView& view = segment.view;
  view.weight = json.at("weight").get<double>();
  view.frames = json.at("frames").get<std::int64_t>();
  view.stride = json.at("stride").get<std::int64_t>();
  view.stretch = json.at("apart").get<bool>();
  if (json.contains("copies")) json.at("copies").get_to(segment.copies);
  const bool sane = view.weight > 0 && view.weight <= 1 && view.frames >= 0 && view.frames < kManyFrames &&
                    view.stride >= 1 && view.stride <= Segments::kLargestStride &&
                    std::has_single_bit(static_cast<std::uint64_t>(view.stride));
  if (!sane) throw std::out_of_range("a segment's numbers are outside their ranges");
  return segment;
}

// In files of version 1 each segment has statistics of its own.
double count_from_json(const nlohmann::ordered_json& json) {
  if (json.contains("count")) return json.at("count").get<double>();
  double sum = 0;
  for (const auto& segment : json.at("list")) {
    const double count = segment.at("count").get<double>();
    if (!(count >= 0)) throw std::out_of_range("a segment's numbers are outside their ranges");
    sum += count * segment.at("weight").get<double>();
  }
  return sum;
}

}  // namespace

nlohmann::ordered_json segments_to_json(const Segments& segments) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (int i = 0; i < segments.size(); ++i) {
    const SegmentView view = segments.view(i);
    list.push_back({{"weight", view.weight},
                    {"frames", view.frames},
                    {"stride", view.stride},
                    {"apart", view.stretch},
                    {"copies", std::vector<std::uint8_t>(view.copies.begin(), view.copies.end())}});
  }
  return {{"count", segments.statistics().count}, {"capacity", segments.capacity()}, {"list", std::move(list)}};
}

SegmentsRecord segments_from_json(const nlohmann::ordered_json& json) {
  SegmentsRecord record;
  record.count = count_from_json(json);
  if (!(std::isfinite(record.count) && record.count >= 0)) throw std::out_of_range("'count' is outside its range");
  record.capacity = json.at("capacity").get<std::int64_t>();
  if (record.capacity < 1 || record.capacity >= kManyFrames) {
    throw std::out_of_range("'capacity' is outside its range");
  }
  const auto& list = json.at("list");
  if (list.empty() || list.size() > kMaximumSegments) throw std::out_of_range("the number of segments is not usable");
  for (const auto& segment : list) record.list.push_back(segment_from_json(segment));
  return record;
}

}  // namespace padim
