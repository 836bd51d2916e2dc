#pragma once

#include <CLI/CLI.hpp>

#include "padim/limits.h"

namespace padim::tool {

/// Check of an option that the library has, too: what it accepts.
template <class T>
[[nodiscard]] CLI::Range within(const Range<T>& range) {
  return {range.least, range.most};
}

}  // namespace padim::tool
