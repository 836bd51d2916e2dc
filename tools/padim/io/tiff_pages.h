#pragma once

#include <cstdint>
#include <filesystem>

namespace padim::tool {

/// How many pictures a TIFF or BigTIFF holds, without those that are a smaller copy of another (previews); 0 where it
/// is none or cannot be read.
[[nodiscard]] std::int64_t count_tiff_pages(const std::filesystem::path& file);

}  // namespace padim::tool
