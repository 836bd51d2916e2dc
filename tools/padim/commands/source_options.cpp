#include "commands/source_options.h"

#include <string>

#include <CLI/CLI.hpp>

#include "commands/within.h"
#include "io/image_source.h"
#include "padim/error.h"
#include "padim/limits.h"
#include "terminal/progress.h"

namespace padim::tool {

void add_source_options(CLI::App& command, SourceOptions& options) {
  command.add_flag("--skip-unreadable", options.skip_unreadable, "do not fail because of images that cannot be read")
      ->group(kInputGroup);
  command.add_option("--frames", options.frames, "end after so many frames")
      ->check(CLI::PositiveNumber)
      ->type_name("N")
      ->group(kInputGroup);
  command.add_option("--seconds", options.seconds, "end after so many seconds of a video or camera")
      ->check(CLI::PositiveNumber)
      ->type_name("S")
      ->group(kInputGroup);
  command
      .add_option("--timeout", options.timeout,
                  "seconds without a frame after which a video or camera is given up [20; 5 for cameras]")
      ->check(CLI::PositiveNumber)
      ->type_name("S")
      ->group(kInputGroup);
  command
      .add_flag("--reconnect", options.reconnect,
                "open a camera or an address again that fails, ends or gives no frame")
      ->group(kInputGroup);
}

CLI::Option* add_bits_option(CLI::App& command, int& bits) {
  return command.add_option("--bits", bits, "in use of pictures with 16 bits per sample: 12 for values up to 4095")
      ->check(within(kSampleBits))
      ->type_name("N");
}

SampleRange range_after_fit(int fitted, int bits) {
  if (bits > 0) return {bits, ""};
  if (fitted == 0) return {kSampleBits.most, "as the fit had none (see --bits)"};
  return {fitted, fitted < kSampleBits.most ? "as in the fit" : ""};
}

void check_bits(const FrameSource& source, int bits) {
  if (bits == 0 || source.kind() != InputKind::video) return;
  throw Error(ErrorCode::invalid_argument,
              "--bits is for images: a video or camera is converted to 8 bits as it comes");
}

void note_files(const FrameSource& source, const std::string& role, FileRoles& roles) {
  for (const auto& file : source.files()) roles.reads(file, role);
}

void say_what_is_left_out(const FrameSource& source) {
  const std::string text = source.left_out();
  if (!text.empty()) notice(text);
}

bool was_read_whole(const FrameSource& source, const SourceOptions& options, const char* consequence) {
  if (source.passed_over() > 0) {
    notice("some " + std::to_string(source.passed_over()) +
           " frames came faster than they were taken and were not looked at");
  }
  if (source.above_range() > 0) notice(above_range(source.above_range(), source.sample_bits()));
  if (source.unreadable() > 0 && !options.skip_unreadable) {
    notice(std::to_string(source.unreadable()) + " of " + std::to_string(source.length()) +
           " images could not be read" + consequence + " (--skip-unreadable accepts that)");
    return false;
  }
  return !source.lost();
}

}  // namespace padim::tool
