#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "io/frame_source.h"
#include "padim/detector.h"
#include "padim/scene.h"

namespace padim::tool {

/// The stretches of a video that do not show the fitted scene; of a live one each is told at once, too. Separate images
/// are no stream, the next may show anything: of them those that are black, white or without any contrast.
class SceneLog {
 public:
  SceneLog(const Model& model, const FrameSource& source)
      : reference_(model.info().scene),
        monitor_(reference_),
        stream_(source.kind() == InputKind::video),
        live_(source.live()) {}

  /// The frame's result; returns what has changed by then.
  SceneCause add(std::int64_t frame, const Detection& detection);

  /// The next frame does not follow the one before: what lasted ends.
  void interrupt();

  /// There are no more frames: a line for people about each stretch, without line break.
  [[nodiscard]] std::vector<std::string> finish();

 private:
  SceneCause add_image(std::int64_t number, const Appearance& appearance);

  std::optional<SceneReference> reference_;
  SceneMonitor monitor_;
  bool stream_;
  bool live_;
  std::vector<SceneChange> changes_;  ///< that ended
};

}  // namespace padim::tool
