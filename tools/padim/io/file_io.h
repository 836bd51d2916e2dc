#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace padim::tool {

/// The path in single quotes, for messages.
[[nodiscard]] std::string in_quotes(const std::filesystem::path& path);

[[nodiscard]] std::string lower(std::string text);  ///< A to Z in lower case

/// The file name's extension in lower case, without the dot: "jpg".
[[nodiscard]] std::string lower_extension(const std::filesystem::path& path);

/// Throws not_found or cannot_read, with the cause.
[[nodiscard]] std::vector<std::uint8_t> read_file(const std::filesystem::path& path);

/// Replaces the file as a whole, after creating its folder where that is missing. Throws cannot_write, with the cause.
void write_file(const std::filesystem::path& path, std::span<const std::uint8_t> bytes);

void write_text(const std::filesystem::path& path, const std::string& text);  ///< as write_file

/// Throws cannot_write where the folder cannot be created or not be written to: said before the work, not after it.
void prepare_folder(const std::filesystem::path& folder);

/// Throws invalid_argument where one of the `inputs` lies below the folder that gets results: under their names, or
/// under that of another file beside them. what: "--output".
void keep_apart(const std::filesystem::path& folder, std::span<const std::filesystem::path> inputs,
                const std::string& what);

}  // namespace padim::tool
