#pragma once

#include <gst/video/video.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "gst-common/owned.h"
#include "io/gst_pipeline.h"
#include "io/source_name.h"

namespace padim::tool {

/// One connection to a source of video: from its opening to its end.
class Decoder {
 public:
  using Counter = std::atomic<std::int64_t>;

  /// patience_s: how long it may give no frame, 0 for a default of its form. Throws what Pipeline throws.
  Decoder(const std::string& name, SourceForm form, double patience_s);

  /// The next frame; null at the end, and once `stop` says so, which is asked twenty times a second. Throws where the
  /// source fails or gives nothing for too long.
  [[nodiscard]] gst::Owned<GstSample> pull(const std::function<bool()>& stop);

  /// Whether it goes on without us, known with the first frame. From then on it keeps the latest frames only.
  [[nodiscard]] bool live() const { return live_; }

  /// In all, as the source says; 0 where it does not.
  [[nodiscard]] std::int64_t duration_ns() const { return duration_ns_; }

  /// Frames that were too many for whoever pulls, so far.
  [[nodiscard]] std::int64_t passed_over() const;

 private:
  void check() const;
  void get_to_know();
  [[nodiscard]] bool is_endless() const;
  [[nodiscard]] bool answered() const;
  [[noreturn]] void give_up(double waited_s) const;
  [[nodiscard]] double patience_s() const;

  std::string name_;
  std::string what_;  ///< cannot be done, where it fails
  SourceForm form_;
  double wanted_patience_s_;
  Pipeline pipeline_;
  Counter* received_;  ///< buffers from an address
  Counter* arrived_;   ///< frames
  bool live_ = false;
  std::int64_t duration_ns_ = 0;
  std::int64_t pulled_ = 0;
};

}  // namespace padim::tool
