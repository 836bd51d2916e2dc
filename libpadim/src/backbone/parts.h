#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "padim/backbone.h"

namespace padim {

/// The parts of a backbone that are in use, so that all who ask for the same part share its weights. Thread-safe.
class BackboneParts {
 public:
  enum class Kept { taps, last_tap_channels };

  /// The part with these taps or channels; make() makes it where nobody has it.
  template <class Make>
  std::shared_ptr<const Backbone> get(Kept kept, std::span<const int> indices, const Make& make) {
    const std::lock_guard lock(mutex_);
    std::erase_if(parts_, [](const auto& part) { return part.second.expired(); });
    std::weak_ptr<const Backbone>& part = parts_[{kept, std::vector(indices.begin(), indices.end())}];
    std::shared_ptr<const Backbone> shared = part.lock();
    if (!shared) part = shared = make();
    return shared;
  }

 private:
  std::mutex mutex_;
  std::map<std::pair<Kept, std::vector<int>>, std::weak_ptr<const Backbone>> parts_;
};

}  // namespace padim
