#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/deep_samples.h"
#include "io/folder_listing.h"
#include "padim/image_view.h"

namespace padim::tool {

/// One frame of an input. Its pixels belong to the source and live until the next one is asked for.
struct Frame {
  ImageView view;
  std::string source;                  ///< file that it came from, as the user may open it
  std::filesystem::path relative;      ///< image: its path below the folder; video: frame_000123.png
  std::filesystem::path stem;          ///< the same without extension, unique: names what is written about the frame
  std::int64_t number = 0;             ///< position in the input, from 0; unreadable images count
  std::optional<std::int64_t> pts_ns;  ///< presentation time, counted on where a video has none; absent for still
                                       ///< images, and where there is nothing to count by
  bool jumped_back = false;            ///< that is before the time of the frame before
};

struct Fraction {
  int numerator = 0;
  int denominator = 1;
};

enum class InputKind { folder, image, video };

/// How an input is read.
struct SourceOptions {
  bool skip_unreadable = false;        ///< folders that cannot be read are left out, else an error
  std::optional<std::int64_t> frames;  ///< end after so many
  std::optional<double> seconds;       ///< end after so long: of a video's time; by the clock where it is live
  std::optional<double> timeout;       ///< seconds without a frame after which a video is given up; else a default
  bool reconnect = false;              ///< open a live source again that has ended or failed
  SampleRange range = {};              ///< of 16-bit pictures
};

/// The frames of a folder of images, of one image or of a video, one after the other. One thread at a time.
class FrameSource {
 public:
  virtual ~FrameSource() = default;

  /// The next frame; null at the end. Images that cannot be read are named on stderr, counted and passed over. Throws
  /// Error where a video breaks.
  virtual const Frame* next() = 0;

  [[nodiscard]] virtual InputKind kind() const = 0;

  /// Frames in all; 0 where unknown, for videos an estimate from duration and frame rate.
  [[nodiscard]] virtual std::int64_t length() const = 0;

  /// Every file that it reads.
  [[nodiscard]] virtual std::vector<std::filesystem::path> files() const = 0;

  /// Images passed over so far.
  [[nodiscard]] virtual std::int64_t unreadable() const { return 0; }

  /// What of a folder is taken and what is not, in words; empty where all is.
  [[nodiscard]] virtual std::string left_out() const { return {}; }

  /// The range that its 16-bit pictures are read with (SampleRange); 0 where it has none and none was asked for.
  [[nodiscard]] virtual int sample_bits() const { return 0; }

  /// 16-bit pictures so far with samples above that range.
  [[nodiscard]] virtual std::int64_t above_range() const { return 0; }

  /// A camera or a stream of the network: Ctrl-C is how it ends.
  [[nodiscard]] virtual bool live() const { return false; }

  /// A live source ended or failed by itself, which has been said on stderr.
  [[nodiscard]] virtual bool lost() const { return false; }

  /// Frames of a live source that came faster than they were asked for, more or less.
  [[nodiscard]] virtual std::int64_t passed_over() const { return 0; }

  /// Frames per second, 0/1 where unknown.
  [[nodiscard]] virtual Fraction frame_rate() const { return {}; }

  [[nodiscard]] virtual Fraction pixel_aspect() const { return {1, 1}; }
};

/// Opens a folder (see list_folder), an image or a video, a camera (/dev/video0), an address (rtsp://) or a GStreamer
/// line (see SourceForm). Throws not_found, cannot_read, bad_format (a folder without images, a file that is neither
/// image nor video), unsupported (no decoder) or invalid_argument (an option that the input does not have).
[[nodiscard]] std::unique_ptr<FrameSource> open_frame_source(const std::string& name,
                                                             const SourceOptions& options = {});

/// "frame_000123": names what is written about a frame of a video.
[[nodiscard]] std::string video_frame_name(std::int64_t number);

}  // namespace padim::tool
