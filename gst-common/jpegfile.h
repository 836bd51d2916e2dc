#pragma once

#include <cstdint>
#include <span>

namespace padim::gst {

/// True where `file` is a JPEG that ends early: decoders fill what is missing with grey and only warn.
[[nodiscard]] bool is_truncated_jpeg(std::span<const std::uint8_t> file);

/// True where `file` is a JPEG whose compressed data is damaged: decoders go on with what they make of it and only
/// warn. Bytes between its parts, which some cameras leave, are no damage. Takes part of the time of decoding.
[[nodiscard]] bool is_damaged_jpeg(std::span<const std::uint8_t> file);

}  // namespace padim::gst
