#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/output.h"
#include "io/frame_source.h"
#include "padim/detector.h"
#include "padim/overlay.h"
#include "padim/scene.h"

namespace padim::tool {

/// Takes the result of every frame: a file of JSON lines, a folder of maps, an annotated video. Opened before the first
/// frame, so that a path that cannot be written is known at once.
class ResultSink {
 public:
  virtual ~ResultSink() = default;

  /// scene: what the frame is part of, see SceneMonitor. Throws cannot_write.
  virtual void write(const Frame& frame, const Detection& detection, SceneCause scene) = 0;

  /// How much of the latest write() was drawing on the frame.
  [[nodiscard]] virtual double drawing_ms() const { return 0; }

  /// Completes what was written, also after an interrupt. Throws cannot_write.
  virtual void finish() {}
};

// What the sinks write gets its role; `roles` must outlive them. All throw invalid_argument where they would write over
// what has one already, cannot_write where find_output() says so.

/// One JSON object per line, each written at once, so that readers follow: to standard output ("-"), into a pipe, or
/// into a new file that takes its name with the first line.
[[nodiscard]] std::unique_ptr<ResultSink> open_json_sink(const std::filesystem::path& file, FileRoles& roles);

/// STEM.npy per frame: the raw score map, float32 [height, width].
[[nodiscard]] std::unique_ptr<ResultSink> open_map_sink(const std::filesystem::path& folder, const FileRoles& roles);

/// Frames with the result drawn on them: a video by its extension, an image for a single image, else a folder with one
/// picture per frame, in which no image of the source may lie. Throws invalid_argument where the extension says
/// nothing, too.
[[nodiscard]] std::unique_ptr<ResultSink> open_annotated_sink(const std::filesystem::path& output,
                                                              const FrameSource& source, const OverlayOptions& options,
                                                              FileRoles& roles);

}  // namespace padim::tool
