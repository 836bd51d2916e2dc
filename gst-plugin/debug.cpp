#include "debug.h"

#include <string>

#include "padim/log.h"

GST_DEBUG_CATEGORY(padimfilter_debug);
GST_DEBUG_CATEGORY_STATIC(padim_debug);

namespace padim::gst {
namespace {

GstDebugLevel level_of(LogLevel level) {
  switch (level) {
    case LogLevel::warning:
      return GST_LEVEL_WARNING;
    case LogLevel::info:
      return GST_LEVEL_INFO;
    case LogLevel::debug:
      break;
  }
  return GST_LEVEL_DEBUG;
}

void say(LogLevel level, const std::string& message) {
  GST_CAT_LEVEL_LOG(padim_debug, level_of(level), nullptr, "%s", message.c_str());
}

}  // namespace

void init_debug_categories() {
  GST_DEBUG_CATEGORY_INIT(padimfilter_debug, "padimfilter", 0, "PaDiM anomaly filter");
  GST_DEBUG_CATEGORY_INIT(padim_debug, "padim", 0, "PaDiM library");
  set_log_handler(say);
}

}  // namespace padim::gst
