#pragma once

#include <gst/video/video.h>

#include <cstdint>
#include <memory>
#include <optional>

#include "anomalyevents.h"
#include "fitsession.h"
#include "frametimes.h"
#include "jsonlines.h"
#include "padim/detector.h"
#include "padim/overlay.h"
#include "padimsettings.h"
#include "published.h"

namespace padim::gst {

/// What the element holds from start to stop, and its work on each frame. Streaming thread only; posts messages itself,
/// with no lock held, and throws what must become an error.
class State {
 public:
  /// Opens what the mode needs: model and backbone, or backbone and a new fit. A loaded model is run once, so that the
  /// first frame is as fast as the others. element and published must outlive the state.
  State(GstElement* element, const Settings& settings, Published& published);

  /// Throws mismatch for video that does not fit the model in use; the format before stays in force then, as it does
  /// in the base class.
  void set_format(const GstVideoInfo& info);

  /// Decides what happens to the next frame: ends a fit where finish-fit asked for it, starts what a new mode needs.
  void begin_frame(const LiveSettings& live);

  /// Frames pass without being touched: the buffer need not be writable.
  [[nodiscard]] bool passes_through() const { return live_.mode == Mode::off; }

  /// Works on the frame that begin_frame() announced. buffer is writable unless passes_through().
  void process(GstBuffer* buffer, const FrameTimes& times);

  /// Ends the fit that is going on, and an open anomaly.
  void end_of_stream();

  /// Ends an open anomaly; the statistics of a fit are kept.
  void flush();

  /// As flush(), and honours a finish-fit that no frame followed.
  void stop();

 private:
  [[nodiscard]] std::string source_name() const;
  [[nodiscard]] std::shared_ptr<const Backbone> open(const std::string& name) const;
  void start_fit();
  void finish_fit();
  void load_model();
  void use_model(Model model);
  void check_format(const GstVideoInfo& info) const;

  void fit_frame(GstBuffer* buffer, const FrameTimes& times);
  void detect_frame(GstBuffer* buffer, const FrameTimes& times);
  void draw(GstBuffer* buffer, const Detection& detection);
  void attach(GstBuffer* buffer, const Detection& detection, const FrameTimes& times) const;
  void post_messages(const Detection& detection, const FrameTimes& times);
  void post_event_end();
  void write_record(const FrameTimes& times, const char* state, const Detection* detection);

  GstElement* element_;
  Settings settings_;
  Published& published_;
  LiveSettings live_;
  std::optional<GstVideoInfo> format_;
  std::shared_ptr<const Backbone> backbone_;
  std::unique_ptr<FitSession> fit_;
  std::unique_ptr<Detector> detector_;
  std::unique_ptr<Overlay> overlay_;
  OverlayOptions overlay_options_;  ///< of overlay_
  AnomalyEvents events_;
  std::optional<JsonLines> json_;
  std::uint64_t frame_ = 0;  ///< input frames before this one
};

}  // namespace padim::gst
