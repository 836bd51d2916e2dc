#pragma once

#include <algorithm>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <mutex>
#include <optional>
#include <utility>

#include "padim/model.h"

namespace padim::gst {

/// What other threads want of the streaming thread, which looks for it before each frame.
enum class Request : std::size_t { finish_fit, reload_model, reset, reopen_json, count };

/// What the streaming thread tells any other thread, and the requests that come back.
class Published {
 public:
  static constexpr double kNoScore = -1;

  void reset(bool running) {
    const std::lock_guard lock(mutex_);
    model_.reset();
    last_score_ = kNoScore;
    running_ = running;
    fitting_ = false;
    requests_.reset();
    to_learn_ = 0;
  }

  void set_model(Model model) {
    const std::lock_guard lock(mutex_);
    model_ = std::move(model);
  }
  [[nodiscard]] std::optional<Model> model() const {
    const std::lock_guard lock(mutex_);
    return model_;
  }

  void set_last_score(double score) {
    const std::lock_guard lock(mutex_);
    last_score_ = score;
  }
  [[nodiscard]] double last_score() const {
    const std::lock_guard lock(mutex_);
    return last_score_;
  }

  /// A fit begins; an earlier request to finish does not concern it.
  void begin_fit() { set_fitting(true); }
  void end_fit() { set_fitting(false); }
  [[nodiscard]] bool fitting() const {
    const std::lock_guard lock(mutex_);
    return fitting_;
  }

  /// False where there is nobody to follow it: the element is stopped, or no fit is going on that could be finished.
  bool request(Request what) {
    const std::lock_guard lock(mutex_);
    if (!running_ || (what == Request::finish_fit && !fitting_)) return false;
    requests_.set(index(what));
    return true;
  }

  /// The next `frames` frames are normal; adds to what was requested before. False where no model is in use.
  bool request_learning(std::uint64_t frames) {
    const std::lock_guard lock(mutex_);
    if (!running_ || !model_) return false;
    to_learn_ += std::min(frames, std::numeric_limits<std::uint32_t>::max() - to_learn_);
    return true;
  }

  /// Frames to learn, once.
  [[nodiscard]] std::uint64_t take_learning() {
    const std::lock_guard lock(mutex_);
    return std::exchange(to_learn_, 0);
  }

  /// Whether there is this request; there is none afterwards.
  [[nodiscard]] bool take(Request what) {
    const std::lock_guard lock(mutex_);
    const bool requested = requests_.test(index(what));
    requests_.reset(index(what));
    return requested;
  }

 private:
  static constexpr std::size_t index(Request what) { return static_cast<std::size_t>(what); }

  void set_fitting(bool fitting) {
    const std::lock_guard lock(mutex_);
    fitting_ = fitting;
    requests_.reset(index(Request::finish_fit));
  }

  mutable std::mutex mutex_;
  std::optional<Model> model_;
  double last_score_ = kNoScore;
  bool running_ = false;
  bool fitting_ = false;
  std::uint64_t to_learn_ = 0;
  std::bitset<static_cast<std::size_t>(Request::count)> requests_;
};

}  // namespace padim::gst
