#pragma once

#include <filesystem>

#include "padim/score_map.h"

namespace padim::tool {

/// Writes the map as numpy's .npy: version 1.0, float32 little-endian, shape [height, width]. Throws cannot_write.
void write_npy(const std::filesystem::path& file, const ScoreMap& map);

}  // namespace padim::tool
