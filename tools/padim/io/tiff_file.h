#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace padim::tool {

enum class TiffTag { bits_per_sample = 258, max_sample_value = 281, sample_format = 339, s_max_sample_value = 341 };

/// The first of a tag's values for the first picture of a TIFF or BigTIFF: a whole number of 2 or 4 bytes, nothing
/// where it has no such tag or is no TIFF.
[[nodiscard]] std::optional<std::uint64_t> tiff_value(const std::filesystem::path& file, TiffTag tag);

/// How many pictures a TIFF or BigTIFF holds, without those that are a smaller copy of another (previews); 0 where it
/// is none or cannot be read.
[[nodiscard]] std::int64_t count_tiff_pages(const std::filesystem::path& file);

}  // namespace padim::tool
