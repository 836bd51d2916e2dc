#include "io/frame_source.h"

#include <cstdio>
#include <system_error>

#include "io/file_io.h"
#include "io/image_source.h"
#include "io/video_source.h"
#include "padim/error.h"

namespace padim::tool {

std::string video_frame_name(std::int64_t number) {
  char name[40];
  std::snprintf(name, sizeof name, "frame_%06lld", static_cast<long long>(number));
  return name;
}

std::unique_ptr<FrameSource> open_frame_source(const std::filesystem::path& path, const ListingOptions& options) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) {
    throw Error(ErrorCode::not_found, "input " + in_quotes(path) + " does not exist");
  }
  if (error) throw Error(ErrorCode::cannot_read, "cannot read input " + in_quotes(path) + ": " + error.message());
  if (std::filesystem::is_directory(status)) return open_image_folder(path, options);
  if (is_image_name(path)) return open_single_image(path);
  return open_video(path);
}

}  // namespace padim::tool
