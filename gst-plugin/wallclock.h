#pragma once

#include <glib.h>

#include <string>

namespace padim::gst {

/// A time in microseconds since 1970 as text, in UTC and to the millisecond: 2026-03-01T06:30:00.250Z (RFC 3339).
[[nodiscard]] std::string rfc3339(gint64 unix_us);

}  // namespace padim::gst
