#pragma once

#include <string>

namespace padim::tool {

/// What the words after --input are.
enum class SourceForm {
  path,     ///< file or folder
  device,   ///< a camera of this machine: /dev/video0
  address,  ///< rtsp://, http:// and what else GStreamer opens
  line,     ///< the beginning of a GStreamer pipeline: "videotestsrc ! video/x-raw,width=640"
};

/// A path where it exists; else by its spelling and by the elements that GStreamer has.
[[nodiscard]] SourceForm form_of(const std::string& name);

/// The name as it may be shown: the password of an address is replaced.
[[nodiscard]] std::string shown_name(const std::string& name);

/// The text with every such name in it as it may be shown.
[[nodiscard]] std::string with_shown_name(std::string text, const std::string& name);

}  // namespace padim::tool
