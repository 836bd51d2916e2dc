#include "io/frame_source.h"

#include <algorithm>
#include <cstdio>
#include <system_error>
#include <utility>

#include "io/file_io.h"
#include "io/image_source.h"
#include "io/source_name.h"
#include "io/video_source.h"
#include "padim/error.h"

namespace padim::tool {
namespace {

/// The first frames of another source.
class FirstFrames : public FrameSource {
 public:
  FirstFrames(std::unique_ptr<FrameSource> all, std::int64_t count) : all_(std::move(all)), left_(count) {}

  const Frame* next() override { return left_-- > 0 ? all_->next() : nullptr; }

  [[nodiscard]] InputKind kind() const override { return all_->kind(); }
  [[nodiscard]] std::int64_t length() const override {
    return all_->length() > 0 ? std::min(all_->length(), count_) : count_;
  }
  [[nodiscard]] std::vector<std::filesystem::path> files() const override { return all_->files(); }
  [[nodiscard]] std::int64_t unreadable() const override { return all_->unreadable(); }
  [[nodiscard]] std::string left_out() const override { return all_->left_out(); }
  [[nodiscard]] int sample_bits() const override { return all_->sample_bits(); }
  [[nodiscard]] std::int64_t above_range() const override { return all_->above_range(); }
  [[nodiscard]] bool live() const override { return all_->live(); }
  [[nodiscard]] bool lost() const override { return all_->lost(); }
  [[nodiscard]] std::int64_t passed_over() const override { return all_->passed_over(); }
  [[nodiscard]] Fraction frame_rate() const override { return all_->frame_rate(); }
  [[nodiscard]] Fraction pixel_aspect() const override { return all_->pixel_aspect(); }

 private:
  std::unique_ptr<FrameSource> all_;
  std::int64_t left_;
  std::int64_t count_ = left_;
};

void refuse_gif(const std::string& name) {
  if (lower_extension(name) != "gif") return;
  throw Error(
      ErrorCode::unsupported,
      "input '" + name + "' is a GIF, which is not read; make a video of it: ffmpeg -i '" + name + "' video.mp4");
}

std::unique_ptr<FrameSource> open_path(const std::string& name, const SourceOptions& options) {
  const std::filesystem::path path(name);
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) {
    throw Error(ErrorCode::not_found, "input " + in_quotes(path) + " does not exist");
  }
  if (error) throw Error(ErrorCode::cannot_read, "cannot read input " + in_quotes(path) + ": " + error.message());
  const bool folder = std::filesystem::is_directory(status);
  if (!folder && !is_image_name(path)) {
    refuse_gif(name);
    return open_video(name, options);
  }
  if (options.seconds || options.timeout || options.reconnect) {
    throw Error(ErrorCode::invalid_argument,
                "--seconds, --timeout and --reconnect need a video or a camera; " + in_quotes(path) + " holds images");
  }
  if (!folder) return open_single_image(path, options.range);
  return open_image_folder(path, {.skip_unreadable_folders = options.skip_unreadable}, options.range);
}

}  // namespace

std::string video_frame_name(std::int64_t number) {
  char name[40];
  std::snprintf(name, sizeof name, "frame_%06lld", static_cast<long long>(number));
  return name;
}

std::unique_ptr<FrameSource> open_frame_source(const std::string& name, const SourceOptions& options) {
  const bool path = form_of(name) == SourceForm::path;
  auto source = path ? open_path(name, options) : open_video(name, options);
  if (!options.frames) return source;
  return std::make_unique<FirstFrames>(std::move(source), *options.frames);
}

}  // namespace padim::tool
