#include "io/result_sink.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <opencv2/imgcodecs.hpp>

#include "base/file.h"
#include "base/line_stream.h"
#include "io/file_io.h"
#include "io/npy.h"
#include "io/own_picture.h"
#include "io/video_writer.h"
#include "padim/error.h"
#include "padim/frame_record.h"
#include "terminal/interrupt.h"
#include "terminal/stopwatch.h"

namespace padim::tool {
namespace {

constexpr char kJson[] = "--json";
constexpr char kMaps[] = "--maps";
constexpr char kOutput[] = "--output";

class JsonSink : public ResultSink {
 public:
  void write(const Frame& frame, const Detection& detection, SceneCause scene) override {
    const FrameRecord record{.source = frame.source, .frame = frame.number, .pts_ns = frame.pts_ns, .scene = scene};
    write_line(to_json(record, &detection));
  }

 private:
  virtual void write_line(const std::string& line) = 0;
};

class JsonStream : public JsonSink {
 public:
  explicit JsonStream(const Output& output) : lines_(output, kJson) {}

 private:
  void write_line(const std::string& line) override { lines_.write(line, interrupted); }

  LineStream lines_;
};

// What an earlier run wrote stays until there is something to take its place.
class JsonFile : public JsonSink {
 public:
  explicit JsonFile(const std::filesystem::path& name) : file_(name, kJson, Durability::quick) {}

  void finish() override { file_.commit(); }

 private:
  void write_line(const std::string& line) override {
    const std::string text = line + "\n";
    file_.write(std::as_bytes(std::span(text)));
    file_.appear();
  }

  AtomicFile file_;
};

class MapSink : public ResultSink {
 public:
  MapSink(std::filesystem::path folder, const FileRoles& roles) : folder_(std::move(folder)), roles_(roles) {
    prepare_folder(folder_);
  }

  void write(const Frame& frame, const Detection& detection, SceneCause) override {
    const std::filesystem::path file = folder_ / (frame.stem.string() + ".npy");
    roles_.check(file, kMaps);
    write_npy(file, detection.map);
  }

 private:
  std::filesystem::path folder_;
  const FileRoles& roles_;
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
  FolderSink(std::filesystem::path folder, const OverlayOptions& options, const FileRoles& roles)
      : AnnotatedSink(options), folder_(std::move(folder)), roles_(roles) {
    prepare_folder(folder_);
  }

 private:
  void write(const Frame& frame, FrameCopy annotated) override {
    const std::filesystem::path file = folder_ / frame.relative;
    roles_.check(file, kOutput);
    write_picture(file, annotated.to_bgr());
  }

  std::filesystem::path folder_;
  const FileRoles& roles_;
};

class PictureSink : public AnnotatedSink {
 public:
  PictureSink(const std::filesystem::path& file, const OverlayOptions& options)
      : AnnotatedSink(options), file_(find_output_file(file, kOutput)) {}

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

std::unique_ptr<ResultSink> open_json_sink(const std::filesystem::path& file, FileRoles& roles) {
  const Output output = find_output(file, kJson);
  if (output.kind == OutputKind::stream) return std::make_unique<JsonStream>(output);
  roles.writes(file, kJson);
  return std::make_unique<JsonFile>(file);
}

std::unique_ptr<ResultSink> open_map_sink(const std::filesystem::path& folder, const FileRoles& roles) {
  return std::make_unique<MapSink>(folder, roles);
}

std::unique_ptr<ResultSink> open_annotated_sink(const std::filesystem::path& output, const FrameSource& source,
                                                const OverlayOptions& options, FileRoles& roles) {
  if (is_meant_as_folder(output)) {
    if (source.kind() != InputKind::video) keep_apart(output, source.files(), kOutput);
    return std::make_unique<FolderSink>(output, options, roles);
  }
  roles.writes(output, kOutput);
  if (is_video_name(output)) return std::make_unique<VideoSink>(output, video_options(source), options);
  if (is_image_name(output) && source.kind() == InputKind::image) return std::make_unique<PictureSink>(output, options);
  throw Error(ErrorCode::invalid_argument,
              "cannot write annotated frames to " + in_quotes(output) +
                  ": give a folder, a video (.mp4, .mkv, .webm) or, for a single image, an image");
}

}  // namespace padim::tool
