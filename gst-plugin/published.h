#pragma once

#include <mutex>
#include <optional>
#include <utility>

#include "padim/model.h"

namespace padim::gst {

/// What the streaming thread tells any other thread.
class Published {
 public:
  static constexpr double kNoScore = -1;

  void reset() {
    const std::lock_guard lock(mutex_);
    model_.reset();
    last_score_ = kNoScore;
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

 private:
  mutable std::mutex mutex_;
  std::optional<Model> model_;
  double last_score_ = kNoScore;
};

}  // namespace padim::gst
