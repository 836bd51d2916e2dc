#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "padim/detector.h"
#include "padim/scene.h"

namespace padim::tool {

/// The stretches of a video that do not show the fitted scene.
class SceneLog {
 public:
  explicit SceneLog(const Model& model) : monitor_(model.info().scene) {}

  /// The frame's result; returns what has changed by then.
  SceneCause add(std::int64_t frame, const Detection& detection);

  /// The next frame does not follow the one before: what lasted ends.
  void interrupt();

  /// There are no more frames: a line for people about each stretch, without line break.
  [[nodiscard]] std::vector<std::string> finish();

 private:
  SceneMonitor monitor_;
  std::vector<SceneChange> changes_;  ///< that ended
};

}  // namespace padim::tool
