#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "padim/detector.h"
#include "padim/scene.h"

namespace padim::tool {

/// When a change is told: for somebody who watches, or only by finish().
enum class SceneNotice { at_once, in_the_end };

/// The stretches of a video that do not show the fitted scene.
class SceneLog {
 public:
  SceneLog(const Model& model, SceneNotice when) : monitor_(model.info().scene), when_(when) {}

  /// The frame's result; returns what has changed by then.
  SceneCause add(std::int64_t frame, const Detection& detection);

  /// There are no more frames: a line for people about each stretch, without line break.
  [[nodiscard]] std::vector<std::string> finish();

 private:
  SceneMonitor monitor_;
  SceneNotice when_;
  std::vector<SceneChange> changes_;  ///< that ended
};

}  // namespace padim::tool
