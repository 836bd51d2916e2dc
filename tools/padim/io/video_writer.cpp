#include "io/video_writer.h"

#include <gst/app/gstappsrc.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "io/file_io.h"
#include "padim/error.h"

namespace padim::tool {
namespace {

struct Encoder {
  std::string_view element;
  std::string_view parameters;
  std::string_view parser;  ///< between encoder and container; may be empty
};

// In order of preference. QUANTIZER stands for the wanted one; the others' bit rates are high enough to match it.
constexpr std::array<Encoder, 2> kH264Encoders = {{
    {"x264enc", "pass=quant quantizer=QUANTIZER key-int-max=30 speed-preset=veryfast bframes=0", "h264parse"},
    {"openh264enc", "bitrate=8000000 gop-size=30 complexity=low", "h264parse"},
}};
constexpr std::array<Encoder, 1> kVp8Encoders = {{
    {"vp8enc", "target-bitrate=8000000 deadline=1 cpu-used=4 keyframe-max-dist=30", ""},
}};

struct Container {
  std::string_view extension;
  std::string_view muxer;
  bool h264;
};
constexpr std::array<Container, 3> kContainers = {
    {{"mp4", "mp4mux", true}, {"mkv", "matroskamux", true}, {"webm", "webmmux", false}}};

std::string with_quantizer(std::string_view parameters, int quantizer) {
  std::string text(parameters);
  const std::string_view key = "QUANTIZER";
  if (const auto at = text.find(key); at != std::string::npos) text.replace(at, key.size(), std::to_string(quantizer));
  return text;
}

const Encoder* find_encoder(const Container& container) {
  const auto present = [](const Encoder& encoder) { return has_element(std::string(encoder.element)); };
  if (container.h264) {
    const auto found = std::ranges::find_if(kH264Encoders, present);
    if (found != kH264Encoders.end()) return &*found;
    // Matroska holds VP8 as well; MP4 players do not expect it.
    if (container.extension == "mp4") return nullptr;
  }
  const auto found = std::ranges::find_if(kVp8Encoders, present);
  return found != kVp8Encoders.end() ? &*found : nullptr;
}

const Container& container_of(const std::filesystem::path& file) {
  const auto found = std::ranges::find(kContainers, lower_extension(file), &Container::extension);
  if (found != kContainers.end()) return *found;
  throw Error(ErrorCode::invalid_argument, "cannot write video " + in_quotes(file) + ": name it .mp4, .mkv or .webm");
}

// Players expect 4:2:0, which has no odd sides in H.264: videobox adds the missing row or column.
std::string pipeline_text(const std::filesystem::path& file, const VideoOptions& options) {
  const Container& container = container_of(file);
  const Encoder* encoder = find_encoder(container);
  if (encoder == nullptr) {
    throw Error(ErrorCode::unsupported,
                "cannot write video " + in_quotes(file) + ": GStreamer lacks an encoder; apt-get install " +
                    (container.h264 ? "gstreamer1.0-plugins-ugly (x264enc)" : "gstreamer1.0-plugins-good (vp8enc)"));
  }
  std::string text = "appsrc name=source format=time ! videoconvert ! video/x-raw,format=I420 ! ";
  text += "videobox name=box ! " + std::string(encoder->element) + " ";
  text += with_quantizer(encoder->parameters, options.quantizer) + " ! ";
  if (!encoder->parser.empty()) text += std::string(encoder->parser) + " ! ";
  return text + std::string(container.muxer) + " ! filesink name=sink async=false";
}

}  // namespace

bool is_video_name(const std::filesystem::path& path) {
  return std::ranges::find(kContainers, lower_extension(path), &Container::extension) != kContainers.end();
}

VideoWriter::VideoWriter(const std::filesystem::path& file, VideoOptions options)
    : name_(file),
      options_(options),
      file_(file, "video"),
      pipeline_(pipeline_text(file, options), "cannot write video " + in_quotes(file)) {
  if (options_.frame_rate.numerator <= 0) options_.frame_rate = {30, 1};
}

VideoWriter::~VideoWriter() {
  try {
    finish();
  } catch (...) {  // already on the way out: the first failure has been reported
  }
}

void VideoWriter::start(const GstVideoInfo& info) {
  info_ = info;
  info_.fps_n = options_.frame_rate.numerator;
  info_.fps_d = options_.frame_rate.denominator;
  info_.par_n = options_.pixel_aspect.numerator;
  info_.par_d = options_.pixel_aspect.denominator;
  const gst::Owned<GstCaps> caps(gst_video_info_to_caps(&info_));
  gst_app_src_set_caps(GST_APP_SRC(pipeline_.element("source")), caps.get());
  g_object_set(pipeline_.element("box"), "right", -(info.width % 2), "bottom", -(info.height % 2), nullptr);
  g_object_set(pipeline_.element("sink"), "location", file_.unnamed().c_str(), nullptr);
  pipeline_.set_state(GST_STATE_PLAYING);
}

void VideoWriter::write(FrameCopy frame, std::optional<std::int64_t> pts_ns) {
  constexpr guint64 kBehind = 8;
  if (frames_++ == 0) start(frame.info());
  const GstVideoInfo& info = frame.info();
  if (info.width != info_.width || info.height != info_.height || info.finfo != info_.finfo) {
    throw Error(ErrorCode::mismatch, "cannot write video " + in_quotes(name_) + ": frame " +
                                         std::to_string(frames_ - 1) +
                                         " differs in size or format from the first one; write a folder instead");
  }
  GstAppSrc* source = GST_APP_SRC(pipeline_.element("source"));
  // A blocking push would wait for ever behind an element that has failed.
  while (gst_app_src_get_current_level_buffers(source) >= kBehind) {
    pipeline_.check();
    usleep(1000);
  }
  pipeline_.check();
  gst::Owned<GstBuffer> buffer = frame.take();
  stamp(buffer.get(), pts_ns);
  gst_app_src_push_buffer(source, buffer.release());
}

// Timestamps that do not rise would be refused by the containers. What is a frame or more behind has gone back.
void VideoWriter::stamp(GstBuffer* buffer, std::optional<std::int64_t> pts_ns) {
  const auto duration = static_cast<std::int64_t>(
      gst_util_uint64_scale(GST_SECOND, static_cast<guint64>(info_.fps_d), static_cast<guint64>(info_.fps_n)));
  std::int64_t pts = pts_ns ? *pts_ns + shift_ns_ : next_pts_ns_;
  if (frames_ > 1) {
    if (pts + duration <= last_pts_ns_) {
      shift_ns_ += next_pts_ns_ - pts;
      pts = next_pts_ns_;
    }
    pts = std::max(pts, last_pts_ns_ + 1);
  }
  GST_BUFFER_PTS(buffer) = static_cast<GstClockTime>(pts);
  GST_BUFFER_DURATION(buffer) = static_cast<GstClockTime>(duration);
  last_pts_ns_ = pts;
  next_pts_ns_ = pts + duration;
}

void VideoWriter::finish() {
  if (finished_) return;
  finished_ = true;
  if (frames_ == 0) return;
  gst_app_src_end_of_stream(GST_APP_SRC(pipeline_.element("source")));
  pipeline_.wait_for_end();
  pipeline_.set_state(GST_STATE_NULL);
  file_.commit();
}

}  // namespace padim::tool
