#pragma once

#include <mutex>
#include <optional>
#include <utility>

#include "padim/model.h"

namespace padim::gst {

/// What the streaming thread tells any other thread, and the requests that come back.
class Published {
 public:
  static constexpr double kNoScore = -1;

  void reset() {
    const std::lock_guard lock(mutex_);
    model_.reset();
    last_score_ = kNoScore;
    fitting_ = finish_requested_ = json_reopen_requested_ = false;
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
  void begin_fit() {
    const std::lock_guard lock(mutex_);
    fitting_ = true;
    finish_requested_ = false;
  }
  void end_fit() {
    const std::lock_guard lock(mutex_);
    fitting_ = finish_requested_ = false;
  }

  [[nodiscard]] bool fitting() const {
    const std::lock_guard lock(mutex_);
    return fitting_;
  }

  /// False where no fit is going on.
  bool request_finish() {
    const std::lock_guard lock(mutex_);
    finish_requested_ = fitting_;
    return fitting_;
  }
  [[nodiscard]] bool finish_requested() const {
    const std::lock_guard lock(mutex_);
    return finish_requested_;
  }

  void request_json_reopen() {
    const std::lock_guard lock(mutex_);
    json_reopen_requested_ = true;
  }
  [[nodiscard]] bool take_json_reopen() {
    const std::lock_guard lock(mutex_);
    return std::exchange(json_reopen_requested_, false);
  }

 private:
  mutable std::mutex mutex_;
  std::optional<Model> model_;
  double last_score_ = kNoScore;
  bool fitting_ = false;
  bool finish_requested_ = false;
  bool json_reopen_requested_ = false;
};

}  // namespace padim::gst
