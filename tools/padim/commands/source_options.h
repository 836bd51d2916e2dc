#pragma once

#include <string>

#include "base/output.h"
#include "io/frame_source.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace padim::tool {

/// Help group of the options that say how an input is read.
inline constexpr char kInputGroup[] = "Input";

/// What --input takes, for the help.
inline constexpr char kInputHelp[] =
    "folder of images (searched recursively), image, video, camera (/dev/video0), address (rtsp://, http://) or the "
    "beginning of a GStreamer pipeline (\"videotestsrc ! video/x-raw,width=640\")";
inline constexpr char kInputType[] = "DIR|FILE|CAMERA|ADDRESS|LINE";

/// --skip-unreadable, --frames, --seconds, --timeout and --reconnect.
void add_source_options(CLI::App& command, SourceOptions& options);

/// --bits.
CLI::Option* add_bits_option(CLI::App& command, int& bits);

/// How 16-bit pictures are read after a fit with ModelInfo::sample_bits `fitted`: as in it, unless `bits`, from --bits,
/// is not 0.
[[nodiscard]] SampleRange range_after_fit(int fitted, int bits);

/// Throws invalid_argument where --bits, `bits`, was given for an input that has no images.
void check_bits(const FrameSource& source, int bits);

/// Notes the files that the source reads.
void note_files(const FrameSource& source, const std::string& role, FileRoles& roles);

/// Says what of a folder is not taken, where that is not nothing.
void say_what_is_left_out(const FrameSource& source);

/// Says what is missing of an input that has been read, or lay outside the range of its samples, with what that means
/// for the result; true where nothing is that the options do not accept.
[[nodiscard]] bool was_read_whole(const FrameSource& source, const SourceOptions& options, const char* consequence);

}  // namespace padim::tool
