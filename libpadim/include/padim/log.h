#pragma once

#include <functional>
#include <string>

#include "padim/export.h"

namespace padim {

enum class LogLevel {
  debug,    ///< steps of a computation
  info,     ///< what is in use: files, networks, engines; what was computed
  warning,  ///< a fallback was taken, or something asked for could not be had
};

using LogHandler = std::function<void(LogLevel, const std::string& message)>;

/// Receives what libpadim has to say beside its results, a few lines per model and none per frame. Without a handler
/// nothing is said: the library never prints. Thread-safe; the handler may be called from any thread, also
/// from several at once, and must not throw. An empty handler switches logging off.
PADIM_API void set_log_handler(LogHandler handler);

}  // namespace padim
