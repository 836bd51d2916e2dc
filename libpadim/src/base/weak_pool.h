#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace padim {

/// What is in use in this process, so that those who want the same share it. Thread-safe.
template <class Value>
class WeakPool {
 public:
  /// The value of this key, made by `make`, which returns a shared_ptr, where nobody holds it. Others wait meanwhile.
  template <class Make>
  std::shared_ptr<Value> get(const std::string& key, const Make& make) {
    const std::lock_guard lock(mutex_);
    if (const auto found = entries_.find(key); found != entries_.end()) {
      if (auto existing = found->second.lock()) return existing;
    }
    std::shared_ptr<Value> created = make();
    std::erase_if(entries_, [](const auto& entry) { return entry.second.expired(); });
    entries_[key] = created;
    return created;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<Value>> entries_;
};

}  // namespace padim
