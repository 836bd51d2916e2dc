#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

#include "base/file.h"
#include "io/frame_copy.h"
#include "io/frame_source.h"
#include "io/gst_pipeline.h"

namespace padim::tool {

/// How a video is to be written.
struct VideoOptions {
  Fraction frame_rate{30, 1};
  Fraction pixel_aspect{1, 1};
  int quantizer = 21;  ///< of H.264: 18 is near lossless, 23 looks good
};

/// True for the extensions of videos that can be written: mp4, mkv, webm.
[[nodiscard]] bool is_video_name(const std::filesystem::path& path);

/// Encodes frames into a file: H.264 in .mp4 and .mkv, VP8 in .webm, with the best encoder that GStreamer has here.
/// Encoding runs in the background, a few frames behind. The file takes its name when it is complete.
class VideoWriter {
 public:
  /// Throws unsupported where there is no encoder, and cannot_write.
  VideoWriter(const std::filesystem::path& file, VideoOptions options);

  /// Ends the file properly, as finish() does, but cannot report a failure.
  ~VideoWriter();
  VideoWriter(const VideoWriter&) = delete;
  VideoWriter& operator=(const VideoWriter&) = delete;

  /// All frames have the first one's size and format: throws mismatch otherwise. Without pts_ns, or where that goes
  /// back, a frame follows the one before at the frame rate. Throws cannot_write, for example where the disk is full.
  void write(FrameCopy frame, std::optional<std::int64_t> pts_ns);

  /// Completes the file; nothing may be written afterwards. Throws cannot_write.
  void finish();

 private:
  void start(const GstVideoInfo& info);
  void stamp(GstBuffer* buffer, std::optional<std::int64_t> pts_ns);

  std::filesystem::path name_;
  VideoOptions options_;
  AtomicFile file_;
  Pipeline pipeline_;
  GstVideoInfo info_{};
  std::int64_t frames_ = 0;
  std::int64_t last_pts_ns_ = 0;
  std::int64_t next_pts_ns_ = 0;
  std::int64_t shift_ns_ = 0;  ///< from the frames' times to the file's, since they went back
  bool finished_ = false;
};

}  // namespace padim::tool
