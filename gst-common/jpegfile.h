#pragma once

#include <cstdint>
#include <span>

namespace padim::gst {

/// True where `file` is a JPEG that ends early: decoders fill what is missing with grey and only warn.
[[nodiscard]] bool is_truncated_jpeg(std::span<const std::uint8_t> file);

}  // namespace padim::gst
