#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace padim::tool {

/// Pictures with results on them are signed, so that nothing learns from them wherever they are put: a few bytes after
/// the end of the picture, which decoders do not look at.
void sign_picture(std::vector<std::uint8_t>& bytes);

[[nodiscard]] bool is_own_picture(const std::filesystem::path& file);

}  // namespace padim::tool
