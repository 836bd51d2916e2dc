#pragma once

#include <cstdint>
#include <vector>

#include <nlohmann/json.hpp>

#include "statistics/segments.h"

namespace padim {

/// How the segments of a model lie in time; their arrays are tensors of the file.
[[nodiscard]] nlohmann::ordered_json segments_to_json(const Segments& segments);

/// The segments without their arrays, and the frames per segment. Throws std::exception for what is not sane.
[[nodiscard]] std::vector<SegmentView> segments_from_json(const nlohmann::ordered_json& json, std::int64_t& capacity);

}  // namespace padim
