#pragma once

#include <filesystem>
#include <memory>
#include <string>

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

/// One JSON object per line, each flushed, so that readers follow; "-" is standard output.
[[nodiscard]] std::unique_ptr<ResultSink> open_json_sink(const std::filesystem::path& file);

/// STEM.npy per frame: the raw score map, float32 [height, width].
[[nodiscard]] std::unique_ptr<ResultSink> open_map_sink(const std::filesystem::path& folder);

/// Frames with the result drawn on them: a video by its extension, an image for a single image, else a folder with one
/// picture per frame. Throws invalid_argument where this would overwrite the input or the extension says nothing.
[[nodiscard]] std::unique_ptr<ResultSink> open_annotated_sink(const std::filesystem::path& output,
                                                              const std::filesystem::path& input,
                                                              const FrameSource& source, const OverlayOptions& options);

}  // namespace padim::tool
