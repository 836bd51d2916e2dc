#include "io/result_sink.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <opencv2/imgcodecs.hpp>

#include "io/file_io.h"
#include "io/npy.h"
#include "io/own_picture.h"
#include "io/video_writer.h"
#include "padim/error.h"
#include "padim/frame_record.h"
#include "terminal/stopwatch.h"

namespace padim::tool {
namespace {

class JsonSink : public ResultSink {
 public:
  explicit JsonSink(const std::filesystem::path& file) : name_(file == "-" ? "standard output" : in_quotes(file)) {
    file_ = file == "-" ? stdout : std::fopen(file.c_str(), "wb");
    if (file_ == nullptr) fail();
  }
  ~JsonSink() override {
    if (file_ != nullptr && file_ != stdout) std::fclose(file_);
  }
  JsonSink(const JsonSink&) = delete;
  JsonSink& operator=(const JsonSink&) = delete;

  void write(const Frame& frame, const Detection& detection, SceneCause scene) override {
    const FrameRecord record{.source = frame.source, .frame = frame.number, .pts_ns = frame.pts_ns, .scene = scene};
    const std::string line = to_json(record, &detection) + "\n";
    if (std::fwrite(line.data(), 1, line.size(), file_) != line.size() || std::fflush(file_) != 0) fail();
  }

  void finish() override {
    std::FILE* file = std::exchange(file_, nullptr);
    if ((file == stdout ? std::fflush(file) : std::fclose(file)) != 0) fail();
  }

 private:
  [[noreturn]] void fail() const {
    throw Error(ErrorCode::cannot_write, "cannot write " + name_ + ": " + std::strerror(errno));
  }

  std::string name_;
  std::FILE* file_ = nullptr;
};

class MapSink : public ResultSink {
 public:
  explicit MapSink(std::filesystem::path folder) : folder_(std::move(folder)) { prepare_folder(folder_); }

  void write(const Frame& frame, const Detection& detection, SceneCause) override {
    write_npy(folder_ / (frame.stem.string() + ".npy"), detection.map);
  }

 private:
  std::filesystem::path folder_;
};

/// What writes frames with the result drawn on them.
class AnnotatedSink : public ResultSink {
 public:
  explicit AnnotatedSink(const OverlayOptions& options) : overlay_(options) {}

  void write(const Frame& frame, const Detection& detection, SceneCause scene) override {
    Stopwatch watch;
    FrameCopy copy(frame.view);
    write_caption(detection, {.scene = scene}, caption_);
    copy.edit([&](const MutableImageView& pixels) { overlay_.draw(pixels, detection, caption_); });
    drawing_ms_ = watch.restart_ms();
    write(frame, std::move(copy));
  }

  [[nodiscard]] double drawing_ms() const override { return drawing_ms_; }

 private:
  virtual void write(const Frame& frame, FrameCopy annotated) = 0;

  Overlay overlay_;
  std::string caption_;
  double drawing_ms_ = 0;
};

void write_picture(const std::filesystem::path& file, const cv::Mat& picture) {
  // Annotated pictures are looked at, not kept: the fastest PNG compression costs a few per cent in size.
  static const std::vector<int> kParameters = {cv::IMWRITE_PNG_COMPRESSION, 1, cv::IMWRITE_JPEG_QUALITY, 95};
  std::vector<std::uint8_t> bytes;
  try {
    cv::imencode("." + lower_extension(file), picture, bytes, kParameters);
  } catch (const cv::Exception& error) {
    throw Error(ErrorCode::cannot_write, "cannot encode " + in_quotes(file) + ": " + error.err);
  }
  sign_picture(bytes);
  write_file(file, bytes);
}

class FolderSink : public AnnotatedSink {
 public:
  FolderSink(std::filesystem::path folder, const OverlayOptions& options)
      : AnnotatedSink(options), folder_(std::move(folder)) {
    prepare_folder(folder_);
  }

 private:
  void write(const Frame& frame, FrameCopy annotated) override {
    write_picture(folder_ / frame.relative, annotated.to_bgr());
  }

  std::filesystem::path folder_;
};

class PictureSink : public AnnotatedSink {
 public:
  PictureSink(std::filesystem::path file, const OverlayOptions& options)
      : AnnotatedSink(options), file_(std::move(file)) {
    check_folder_of(file_);
  }

 private:
  void write(const Frame&, FrameCopy annotated) override { write_picture(file_, annotated.to_bgr()); }

  std::filesystem::path file_;
};

class VideoSink : public AnnotatedSink {
 public:
  VideoSink(const std::filesystem::path& file, const VideoOptions& video, const OverlayOptions& options)
      : AnnotatedSink(options), writer_(file, video) {}

  void finish() override { writer_.finish(); }

 private:
  void write(const Frame& frame, FrameCopy annotated) override { writer_.write(std::move(annotated), frame.pts_ns); }

  VideoWriter writer_;
};

// The name of a folder may hold a dot: "set.v2", "results_2024.05".
bool is_meant_as_folder(const std::filesystem::path& output) {
  static constexpr std::array<std::string_view, 14> kOtherFiles = {
      "avi", "csv", "flv", "gif", "json", "jsonl", "m4v", "mov", "mpeg", "mpg", "npy", "padim", "ts", "wmv"};
  if (std::filesystem::is_directory(output)) return true;
  const bool other = std::ranges::find(kOtherFiles, lower_extension(output)) != kOtherFiles.end();
  return !other && !is_video_name(output) && !is_image_name(output);
}

// Separate images become a slide show slow enough to be looked at.
VideoOptions video_options(const FrameSource& source) {
  if (source.kind() != InputKind::video) return {.frame_rate = {4, 1}};
  return {.frame_rate = source.frame_rate(), .pixel_aspect = source.pixel_aspect()};
}

}  // namespace

std::unique_ptr<ResultSink> open_json_sink(const std::filesystem::path& file) {
  return std::make_unique<JsonSink>(file);
}

std::unique_ptr<ResultSink> open_map_sink(const std::filesystem::path& folder) {
  return std::make_unique<MapSink>(folder);
}

std::unique_ptr<ResultSink> open_annotated_sink(const std::filesystem::path& output, const std::filesystem::path& input,
                                                const FrameSource& source, const OverlayOptions& options) {
  std::error_code ignored;
  if (std::filesystem::equivalent(output, input, ignored)) {
    throw Error(ErrorCode::invalid_argument,
                "--output " + in_quotes(output) + " would overwrite the input; name another place");
  }
  if (is_meant_as_folder(output)) return std::make_unique<FolderSink>(output, options);
  if (is_video_name(output)) return std::make_unique<VideoSink>(output, video_options(source), options);
  if (is_image_name(output) && source.kind() == InputKind::image) return std::make_unique<PictureSink>(output, options);
  throw Error(ErrorCode::invalid_argument,
              "cannot write annotated frames to " + in_quotes(output) +
                  ": give a folder, a video (.mp4, .mkv, .webm) or, for a single image, an image");
}

}  // namespace padim::tool
