#include "commands/scene_log.h"

#include "terminal/progress.h"

namespace padim::tool {
namespace {

std::string line(const SceneChange& change) {
  const std::string frames = change.first == change.last
                                 ? "frame " + std::to_string(change.first)
                                 : "frames " + std::to_string(change.first) + "-" + std::to_string(change.last);
  return frames + ": the whole picture has changed (" + to_string(change.cause) + "); " + what_to_do(change.cause);
}

}  // namespace

SceneCause SceneLog::add(std::int64_t frame, const Detection& detection) {
  const SceneUpdate update = monitor_.observe(scene_frame(detection, frame));
  if (update.begun && when_ == SceneNotice::at_once) notice("warning: " + line(*update.begun));
  if (update.ended) changes_.push_back(*update.ended);
  return monitor_.change() ? monitor_.change()->cause : SceneCause::none;
}

std::vector<std::string> SceneLog::finish() {
  if (const auto lasted = monitor_.reset()) changes_.push_back(*lasted);
  std::vector<std::string> lines;
  for (const SceneChange& change : changes_) lines.push_back(line(change));
  return lines;
}

}  // namespace padim::tool
