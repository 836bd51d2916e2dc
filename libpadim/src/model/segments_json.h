#pragma once

#include <cstdint>
#include <vector>

#include <nlohmann/json.hpp>

#include "statistics/segments.h"

namespace padim {

/// What a model's file says about its segments; their arrays are tensors of the file.
struct SegmentsRecord {
  double count = 0;           ///< frames and copies in the statistics, discounted
  std::int64_t capacity = 1;  ///< frames per segment
  struct Segment {
    SegmentView view;                  ///< without its arrays
    std::vector<std::uint8_t> copies;  ///< of view
  };
  std::vector<Segment> list;
};

[[nodiscard]] nlohmann::ordered_json segments_to_json(const Segments& segments);

/// Throws std::exception for what is not sane. Files of version 1 tell nothing about copies: `copies` stays empty.
[[nodiscard]] SegmentsRecord segments_from_json(const nlohmann::ordered_json& json);

}  // namespace padim
