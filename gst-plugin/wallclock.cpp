#include "wallclock.h"

#include <cstdio>
#include <ctime>

namespace padim::gst {

std::string rfc3339(gint64 unix_us) {
  const auto seconds = static_cast<std::time_t>(unix_us / G_USEC_PER_SEC);
  std::tm utc = {};
  gmtime_r(&seconds, &utc);
  char day[24];
  std::strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &utc);
  char text[32];
  std::snprintf(text, sizeof text, "%s.%03dZ", day, static_cast<int>(unix_us % G_USEC_PER_SEC / 1000));
  return text;
}

}  // namespace padim::gst
