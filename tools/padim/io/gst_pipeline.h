#pragma once

#include <gst/gst.h>

#include <string>

#include "gst-common/owned.h"

namespace padim::tool {

/// Readies GStreamer in this process, once. Throws internal.
void start_gstreamer();

/// True where GStreamer has an element of this name.
[[nodiscard]] bool has_element(const std::string& name);

/// A GStreamer pipeline run from one thread: no main loop, its errors surface where check() is called.
class Pipeline {
 public:
  /// what: the beginning of its error messages, for example "cannot decode video 'x.mp4'". Throws unsupported where an
  /// element of the description is missing.
  Pipeline(const std::string& description, std::string what);
  ~Pipeline();
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  [[nodiscard]] GstElement* get() const { return pipeline_.get(); }

  /// The element named `name`, owned by the pipeline.
  [[nodiscard]] GstElement* element(const char* name) const;

  void set_state(GstState state);

  /// Throws Error where an element has reported one, with its cause and, for a missing decoder, the remedy.
  void check() const;

  /// Whether an element has said, as far as check() has read, that it is done with something lengthy: a connection.
  [[nodiscard]] bool answered() const { return answered_; }

  /// Waits until every sink has seen the end of the stream. Throws as check() does.
  void wait_for_end() const;

 private:
  void handle(GstMessage* message) const;

  std::string what_;
  gst::Owned<GstElement> pipeline_;
  gst::Owned<GstBus> bus_;
  mutable bool answered_ = false;
  mutable std::string missing_;  ///< what the pipeline said it has no element for
};

}  // namespace padim::tool
