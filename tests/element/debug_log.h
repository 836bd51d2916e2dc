#pragma once

#include <gst/gst.h>

#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace padim::test {

/// Collects what the debug category "padimfilter" says up to a level, from any thread, while it lives.
class DebugLog {
 public:
  /// Called with each line, in the thread that says it: it may be held up there.
  using Listener = std::function<void(const std::string& line)>;

  explicit DebugLog(GstDebugLevel most, Listener listener = {}) : listener_(std::move(listener)) {
    gst_debug_set_threshold_for_name("padimfilter", most);
    gst_debug_add_log_function(collect, this, nullptr);
  }
  ~DebugLog() {
    gst_debug_remove_log_function_by_data(this);
    gst_debug_unset_threshold_for_name("padimfilter");
  }
  DebugLog(const DebugLog&) = delete;
  DebugLog& operator=(const DebugLog&) = delete;

  /// The lines of this level since the last call for it.
  std::vector<std::string> take(GstDebugLevel level) {
    std::vector<std::string> taken;
    const std::lock_guard lock(mutex_);
    std::erase_if(lines_, [&](const Line& line) {
      if (line.level == level) taken.push_back(line.text);
      return line.level == level;
    });
    return taken;
  }

  /// Lines that did not name the element that they speak of.
  int nameless() const {
    const std::lock_guard lock(mutex_);
    return nameless_;
  }

 private:
  struct Line {
    GstDebugLevel level;
    std::string text;
  };

  static void collect(GstDebugCategory* category, GstDebugLevel level, const gchar*, const gchar*, gint,
                      GObject* object, GstDebugMessage* message, gpointer self) {
    if (std::string(gst_debug_category_get_name(category)) != "padimfilter") return;
    static_cast<DebugLog*>(self)->add(level, object, gst_debug_message_get(message));
  }

  void add(GstDebugLevel level, GObject* object, const std::string& text) {
    {
      const std::lock_guard lock(mutex_);
      if (object == nullptr) ++nameless_;
      lines_.push_back({level, text});
    }
    if (listener_) listener_(text);
  }

  const Listener listener_;
  mutable std::mutex mutex_;
  std::vector<Line> lines_;
  int nameless_ = 0;
};

}  // namespace padim::test
