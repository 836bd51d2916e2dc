#pragma once

#include <functional>
#include <string>

#include "padim/export.h"

namespace padim {

enum class LogLevel { debug, info, warning };

using LogHandler = std::function<void(LogLevel, const std::string& message)>;

/// Receives what libpadim has to say beside its results (a fallback taken, a slow path). Without a handler
/// nothing is said: the library never prints. Thread-safe; the handler may be called from any thread, also
/// from several at once, and must not throw. An empty handler switches logging off.
PADIM_API void set_log_handler(LogHandler handler);

}  // namespace padim
