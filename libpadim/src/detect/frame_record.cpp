#include "padim/frame_record.h"

#include <charconv>
#include <cmath>
#include <cstddef>
#include <string_view>

// Written once per frame, so the text is appended directly. Numbers take the shortest form that reads back as the same
// double; JSON has no NaN and no infinity, null stands for them. A key whose value does not exist is left out.

namespace padim {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

/// Length of the well-formed UTF-8 sequence that `text` starts with (RFC 3629: shortest form, no surrogates, at most
/// U+10FFFF), or 0.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xC2 && lead <= 0xDF   ? 2
                             : (lead & 0xF0) == 0xE0        ? 3
                             : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                            : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if (!is_continuation(text[i])) return 0;
  }
  const unsigned second = byte(1);
  const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
  const bool surrogate = lead == 0xED && second > 0x9F;
  const bool too_large = lead == 0xF4 && second > 0x8F;
  return overlong || surrogate || too_large ? 0 : length;
}

void append_escaped(std::string& out, char c) {
  constexpr char kDigits[] = "0123456789abcdef";
  switch (c) {
    case '"':
      out += "\\\"";
      break;
    case '\\':
      out += "\\\\";
      break;
    case '\n':
      out += "\\n";
      break;
    case '\r':
      out += "\\r";
      break;
    case '\t':
      out += "\\t";
      break;
    default:
      if (static_cast<unsigned char>(c) >= 0x20) {
        out += c;
      } else {
        out += "\\u00";
        out += kDigits[c >> 4];
        out += kDigits[c & 15];
      }
  }
}

void append_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 1) {
      append_escaped(out, text[0]);
    } else {
      out += length == 0 ? kReplacement : text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  out += '"';
}

template <class Number>
void append_number(std::string& out, Number number) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, end);
}

void append_real(std::string& out, double number) {
  if (std::isfinite(number)) {
    append_number(out, number);
  } else {
    out += "null";
  }
}

void append_time(std::string& out, std::string_view key, std::optional<std::int64_t> time_ns) {
  if (!time_ns) return;
  out += key;
  append_number(out, *time_ns);
}

void append_region(std::string& out, const Region& region) {
  out += "{\"x\":";
  append_number(out, region.x);
  out += ",\"y\":";
  append_number(out, region.y);
  out += ",\"width\":";
  append_number(out, region.width);
  out += ",\"height\":";
  append_number(out, region.height);
  out += ",\"area\":";
  append_real(out, region.area);
  out += ",\"score\":";
  append_real(out, region.score);
  out += '}';
}

void append_detection(std::string& out, const Detection& detection) {
  out += ",\"raw_score\":";
  append_real(out, detection.raw_score);
  out += ",\"score\":";
  append_real(out, detection.score);
  out += ",\"threshold\":";
  append_real(out, detection.threshold);
  out += detection.anomalous ? ",\"anomalous\":true" : ",\"anomalous\":false";
  out += ",\"regions\":[";
  for (std::size_t i = 0; i < detection.regions.size(); ++i) {
    if (i > 0) out += ',';
    append_region(out, detection.regions[i]);
  }
  out += ']';
}

}  // namespace

std::string to_string(FrameState state) {
  switch (state) {
    case FrameState::detect:
      return "detect";
    case FrameState::learn:
      return "learn";
    case FrameState::reuse:
      return "reuse";
    case FrameState::fit:
      return "fit";
    case FrameState::finishing:
      return "finishing";
    case FrameState::loading:
      return "loading";
    case FrameState::broken:
      return "broken";
    case FrameState::drop:
      return "drop";
    default:
      return "off";
  }
}

std::string to_json(const FrameRecord& record, const Detection* detection) {
  std::string out;
  out.reserve(256 + record.source.size() + (detection ? detection->regions.size() * 96 : 0));
  out += "{\"source\":";
  append_string(out, record.source);
  out += ",\"frame\":";
  append_number(out, record.frame);
  if (!record.wall_clock.empty()) {
    out += ",\"wall_clock\":";
    append_string(out, record.wall_clock);
  }
  append_time(out, ",\"pts_ns\":", record.pts_ns);
  append_time(out, ",\"running_time_ns\":", record.running_time_ns);
  append_time(out, ",\"stream_time_ns\":", record.stream_time_ns);
  out += ",\"state\":";
  append_string(out, to_string(record.state));
  if (detection) append_detection(out, *detection);
  if (record.scene != SceneCause::none) {
    out += ",\"scene\":";
    append_string(out, to_string(record.scene));
  }
  out += '}';
  return out;
}

}  // namespace padim
