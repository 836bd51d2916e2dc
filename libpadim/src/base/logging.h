#pragma once

#include <string>

#include "padim/log.h"

namespace padim {

/// Hands `message` to the handler in force, if any. Thread-safe; nothing is locked while the handler runs, so it may
/// log or change the handler itself.
void log(LogLevel level, const std::string& message);

}  // namespace padim
