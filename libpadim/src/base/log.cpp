#include "padim/log.h"

#include <atomic>
#include <cstdio>
#include <memory>
#include <mutex>
#include <utility>

#include "base/logging.h"

namespace padim {
namespace {

std::mutex handler_mutex;
std::shared_ptr<const LogHandler> handler_in_force;  // guarded by handler_mutex; null: logging is off
std::atomic<bool> handled = false;                   // whether there is one

}  // namespace

void set_log_handler(LogHandler handler) {
  std::shared_ptr<const LogHandler> next;
  if (handler) next = std::make_shared<const LogHandler>(std::move(handler));
  const std::lock_guard lock(handler_mutex);
  handled = next != nullptr;
  handler_in_force.swap(next);  // the old handler is destroyed after the lock is gone: declared before it
}

bool is_logging() noexcept { return handled.load(std::memory_order_relaxed); }

void log(LogLevel level, const std::string& message) {
  std::shared_ptr<const LogHandler> handler;
  {
    const std::lock_guard lock(handler_mutex);
    handler = handler_in_force;
  }
  if (handler) (*handler)(level, message);
}

std::string short_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

}  // namespace padim
