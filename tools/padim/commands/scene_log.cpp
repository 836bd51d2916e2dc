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
  if (!stream_) return add_image(frame, detection.appearance);
  const SceneUpdate update = monitor_.observe(scene_frame(detection, frame));
  if (update.begun && live_) notice("warning: " + line(*update.begun));
  if (update.ended) changes_.push_back(*update.ended);
  return monitor_.cause();
}

SceneCause SceneLog::add_image(std::int64_t number, const Appearance& appearance) {
  const SceneCause cause = blank_cause(appearance, reference_);
  if (cause == SceneCause::none) return cause;
  const bool goes_on = !changes_.empty() && changes_.back().cause == cause && changes_.back().last == number - 1;
  if (!goes_on) changes_.push_back({cause, number, number});
  changes_.back().last = number;
  return cause;
}

void SceneLog::interrupt() {
  if (const auto lasted = monitor_.reset()) changes_.push_back(*lasted);
}

std::vector<std::string> SceneLog::finish() {
  interrupt();
  std::vector<std::string> lines;
  for (const SceneChange& change : changes_) lines.push_back(line(change));
  return lines;
}

}  // namespace padim::tool
