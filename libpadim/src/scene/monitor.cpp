// Two things are followed. What a single frame shows (black, white, flat, frozen) counts once it was seen twice in a
// row. Everything else is decided by blocks of frames: the level of the median patch distance says that most of the
// picture is unlike the fit, the share of anomalous frames that the threshold does not hold either. The blocks begin
// anew with each change of the first kind. Causes are named by comparing the latest block with what the fitted frames
// looked like; they are names only, and change nothing about when a change is declared.

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "padim/scene.h"
#include "scene/limits.h"

namespace padim {
namespace {

constexpr std::int64_t kFramesAtOnce = 2;  // of what a single frame shows
constexpr std::int64_t kStillFrames = 32;  // fewer are not called frozen: encoders skip still pictures for as long
// How many times less or more than any fitted frame, to be called so. Blur of 1.5 pixels of the network's input leaves
// half of the sharpness of common scenes, and hardly less contrast; cars and people in view leave 0.7.
constexpr double kFarBelow = 2;
constexpr double kBlur = 1.75;
constexpr double kAlike = 1.25;
constexpr double kOther = 1.1;  // luma

// Frames with the same picture that are called frozen; 0: none are, as the fit was a still picture itself.
std::int64_t still_frames(const std::optional<SceneReference>& reference) {
  if (!reference) return kStillFrames;
  if (reference->frames > 0 && (reference->longest_still + 1) * 2 > reference->frames) return 0;
  return std::max(kStillFrames, reference->longest_still * 2);
}

bool is_below(double now, double least, double times) { return now * times < least; }

bool is_blurred(const Appearance& now, const AppearanceRange& fitted) {
  return is_below(now.sharpness, fitted.least.sharpness, kBlur);
}

// A lower gain takes contrast as well, but neither its ratio to the luma nor sharpness.
bool is_covered(const Appearance& now, const AppearanceRange& fitted) {
  const bool more_than_darker = is_below(now.contrast * fitted.most.luma, fitted.least.contrast * now.luma, kFarBelow);
  return is_below(now.contrast, fitted.least.contrast, kFarBelow) && (more_than_darker || is_blurred(now, fitted));
}

bool is_other_luma(const Appearance& now, const AppearanceRange& fitted) {
  return is_below(now.luma, fitted.least.luma, kOther) || is_below(fitted.most.luma, now.luma, kOther);
}

// Contrast that rises alone is that of a thing; what haze or stray light takes of it is light.
bool is_other_light(const Appearance& now, const AppearanceRange& fitted) {
  const bool alike = !is_below(now.sharpness, fitted.least.sharpness, kAlike) &&
                     !is_below(fitted.most.sharpness, now.sharpness, kAlike);
  return alike && (is_other_luma(now, fitted) || is_below(now.contrast, fitted.least.contrast, kAlike));
}

SceneCause cause_of(const Appearance& now, const AppearanceRange& fitted) {
  if (is_covered(now, fitted)) return SceneCause::covered;
  if (is_other_light(now, fitted)) return SceneCause::light;
  const bool defocused = is_blurred(now, fitted) && !is_other_luma(now, fitted);
  return defocused ? SceneCause::defocused : SceneCause::moved;
}

}  // namespace

struct SceneMonitor::Impl {
  explicit Impl(const std::optional<SceneReference>& scene) : fitted(scene), frames_of_frozen(still_frames(scene)) {
    if (!scene || scene->segments == 0) return;
    block = scene_block_frames(scene->frames);
    needed = scene_blocks_needed(scene->segments);
    medians.reserve(static_cast<std::size_t>(block));
  }

  [[nodiscard]] SceneCause cause_at_once(const SceneFrame& frame) const {
    const SceneCause blank = blank_cause(frame.appearance, fitted);
    if (blank != SceneCause::none) return blank;
    const bool frozen = frames_of_frozen > 0 && frame.repeats + 1 >= frames_of_frozen;
    return frozen ? SceneCause::frozen : SceneCause::none;
  }

  SceneUpdate observe(const SceneFrame& frame) {
    follow(frame);
    const bool twice = same >= kFramesAtOnce;
    if (seen != SceneCause::none) return twice || seen == SceneCause::frozen ? show_at_once(frame) : SceneUpdate{};
    if (at_once) return twice ? SceneUpdate{leave(), {}} : SceneUpdate{};
    return add_to_block(frame);
  }

  // What single frames show, and since when.
  void follow(const SceneFrame& frame) {
    if (frame.repeats == 0 || !fresh) fresh = frame.at;
    const SceneCause now = cause_at_once(frame);
    if (now != seen || same == 0) {
      same = 0;
      since = now == SceneCause::frozen ? *fresh : frame.at;
    }
    seen = now;
    ++same;
  }

  SceneUpdate show_at_once(const SceneFrame& frame) {
    if (at_once && change->cause == seen) {
      change->last = frame.at;
      return {};
    }
    SceneUpdate update;
    if (change) update.ended = leave();
    begin_block();
    run = 0;
    at_once = true;
    change = update.begun = SceneChange{seen, since, frame.at};
    return update;
  }

  std::optional<SceneChange> leave() {
    at_once = false;
    return std::exchange(change, std::nullopt);
  }

  SceneUpdate add_to_block(const SceneFrame& frame) {
    if (needed == 0) return {};
    if (medians.empty()) block_first = frame.at;
    medians.push_back(static_cast<float>(frame.median_distance));
    anomalous += frame.anomalous ? 1 : 0;
    sum.luma += frame.appearance.luma;
    sum.contrast += frame.appearance.contrast;
    sum.sharpness += frame.appearance.sharpness;
    if (medians.size() < static_cast<std::size_t>(block)) return {};
    const bool other = is_other_scene();
    const Appearance mean{sum.luma / block, sum.contrast / block, sum.sharpness / block};
    begin_block();
    return other ? count_block(mean, frame) : end_run();
  }

  [[nodiscard]] bool is_other_scene() {
    return static_cast<double>(lower_quartile(medians)) > fitted->median_distance && anomalous * 2 >= block;
  }

  void begin_block() {
    medians.clear();
    anomalous = 0;
    sum = {};
  }

  SceneUpdate count_block(const Appearance& mean, const SceneFrame& frame) {
    if (run++ == 0) run_first = block_first;
    if (change) change->last = frame.at;
    if (change || run < needed) return {};
    change = SceneChange{cause_of(mean, fitted->appearance), run_first, frame.at};
    return {{}, change};
  }

  SceneUpdate end_run() {
    run = 0;
    return {change ? leave() : std::nullopt, {}};
  }

  std::optional<SceneChange> reset() {
    begin_block();
    run = 0;
    same = 0;
    fresh.reset();
    return leave();
  }

  std::optional<SceneReference> fitted;
  std::int64_t frames_of_frozen;  // 0: none are
  int block = 0;                  // frames
  int needed = 0;                 // blocks; 0: distances are not monitored

  std::optional<SceneChange> change;  // that lasts
  bool at_once = false;               // it is of the first kind

  // Of the first kind.
  SceneCause seen = SceneCause::none;  // in the latest frame
  std::int64_t same = 0;               // latest frames that showed it
  std::int64_t since = 0;              // `at` of the first of them
  std::optional<std::int64_t> fresh;   // `at` of the latest picture that was new, or of the first one

  // Of the block that is going on, and of the blocks before it.
  std::vector<float> medians;
  int anomalous = 0;
  Appearance sum;
  std::int64_t block_first = 0;
  int run = 0;  // latest blocks that show another scene
  std::int64_t run_first = 0;
};

SceneMonitor::SceneMonitor(const std::optional<SceneReference>& reference) : impl_(std::make_unique<Impl>(reference)) {}
SceneMonitor::~SceneMonitor() = default;
SceneMonitor::SceneMonitor(SceneMonitor&&) noexcept = default;
SceneMonitor& SceneMonitor::operator=(SceneMonitor&&) noexcept = default;

SceneUpdate SceneMonitor::observe(const SceneFrame& frame) { return impl_->observe(frame); }

const std::optional<SceneChange>& SceneMonitor::change() const { return impl_->change; }

SceneCause SceneMonitor::cause() const { return impl_->change ? impl_->change->cause : SceneCause::none; }

std::optional<SceneChange> SceneMonitor::reset() { return impl_->reset(); }

int SceneMonitor::block_frames() const { return impl_->block; }

int SceneMonitor::blocks_needed() const { return impl_->needed; }

}  // namespace padim
