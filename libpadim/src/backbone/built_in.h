#pragma once

#include <span>
#include <string_view>

namespace padim {

/// A file models/NAME.json as it was when the library was built.
struct BuiltInDescription {
  std::string_view name;
  std::string_view text;
};

/// All of models/, sorted by name. The build writes their source (embed.py).
[[nodiscard]] std::span<const BuiltInDescription> built_in_descriptions();

}  // namespace padim
