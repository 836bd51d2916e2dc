#pragma once

#include <concepts>
#include <string>

#include "padim/log.h"

namespace padim {

/// Hands `message` to the handler in force, if any. Thread-safe; nothing is locked while the handler runs, so it may
/// log or change the handler itself.
void log(LogLevel level, const std::string& message);

/// Whether there is a handler. Costs a load.
[[nodiscard]] bool is_logging() noexcept;

/// The same for a message that is made only where somebody hears it: make_message() returns it.
template <std::invocable Message>
void log(LogLevel level, const Message& make_message) {
  if (is_logging()) log(level, std::string(make_message()));
}

/// A number as messages show it, to four digits.
[[nodiscard]] std::string short_text(double value);

}  // namespace padim
