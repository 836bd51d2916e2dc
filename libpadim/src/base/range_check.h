#pragma once

#include <charconv>
#include <iterator>
#include <string>
#include <type_traits>

#include "padim/error.h"
#include "padim/limits.h"

namespace padim {

/// A number in the fewest digits that say it: "0.3", "1e-09".
template <class T>
[[nodiscard]] std::string digits(T number) {
  char text[32];
  return {text, std::to_chars(std::begin(text), std::end(text), number).ptr};
}

/// Throws invalid_argument, naming the range, for a value outside of it. what: the option, in words.
template <class T>
void check_range(const char* what, std::type_identity_t<T> value, const Range<T>& range) {
  if (range.contains(value)) return;
  throw Error(ErrorCode::invalid_argument, std::string(what) + " is " + digits(value) + ": it must be " +
                                               digits(range.least) + ".." + digits(range.most));
}

}  // namespace padim
