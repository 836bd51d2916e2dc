#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <string>

#include "anomalyevents.h"
#include "gst-common/frametimes.h"
#include "padim/detector.h"

namespace padim::gst {

// Element messages. Each carries the element's name, source (string), and of the frame that it speaks of: wall-clock
// (string, RFC 3339: when it came), timestamp, stream-time, running-time, duration (guint64, nanoseconds), offset (of
// the buffer) and frame (guint64: its number). Those of a frame that is handed on after the message say so by
// frame-follows (gboolean, TRUE). The caller owns the message; it must hold no lock while posting it.

/// "padim-score", before its frame: score, raw-score, threshold (gdouble), anomalous (gboolean), regions (guint).
[[nodiscard]] GstMessage* new_score_message(GstElement* element, const FrameTimes& times, const Detection& detection);

/// "padim-anomaly-begin", before its frame: score, raw-score, threshold (gdouble), regions (guint), begin-running-time
/// (guint64: of the first anomalous frame).
[[nodiscard]] GstMessage* new_anomaly_begin_message(GstElement* element, const FrameTimes& times,
                                                    const Detection& detection, const AnomalyEvent& event);

/// "padim-anomaly-end", with the times of the last anomalous frame: peak-score (gdouble), begin-running-time (guint64),
/// frames (guint64: anomalous ones).
[[nodiscard]] GstMessage* new_anomaly_end_message(GstElement* element, const AnomalyEvent& event);

/// "padim-scene-changed-begin", before the frame that made it certain and with its times: cause, what-to-do (string),
/// begin-running-time (guint64: of the first frame that shows it). SceneChange::first and last are running times.
[[nodiscard]] GstMessage* new_scene_begin_message(GstElement* element, const FrameTimes& times,
                                                  const SceneChange& change);

/// "padim-scene-changed-end", likewise: cause (string), begin-running-time, end-running-time (guint64: of the last
/// frame that shows it).
[[nodiscard]] GstMessage* new_scene_end_message(GstElement* element, const FrameTimes& times,
                                                const SceneChange& change);

/// A QoS message of GStreamer's, about a frame that was dropped for being late. counts: of the stream so far.
struct FrameCounts {
  std::uint64_t handed_on;
  std::uint64_t dropped;
};
[[nodiscard]] GstMessage* new_drop_message(GstElement* element, const FrameTimes& times, const FrameCounts& counts);

/// "padim-finishing", with the times of the last fitted frame: frames (guint64: that were fitted). Frames pass without
/// result from now on, until padim-fitted.
[[nodiscard]] GstMessage* new_finishing_message(GstElement* element, const FrameTimes& times, std::uint64_t frames);

struct FitReport {
  std::string model_file;  ///< empty where the model was not saved
  std::uint64_t frames_seen;
  std::uint64_t passed_over;  ///< frames of another shape
};

/// "padim-fitted", with the times of the last fitted frame: frames-seen (guint64: that came during the fit), frames
/// (guint64: that the model rests on), frames-held-out (guint64: of them, those that were scored by a model of the
/// others for the threshold), model-file (string, absent where the model was not saved), threshold (gdouble: the raw
/// score that is shown as 0.5), model-id (string), frames-passed-over (guint64: of another shape than the first).
[[nodiscard]] GstMessage* new_fitted_message(GstElement* element, const FrameTimes& times, const Model& model,
                                             const FitReport& report);

/// "padim-reloaded", of no frame, with the wall clock of now: frames, frames-held-out, model-file, threshold, model-id
/// as in padim-fitted.
[[nodiscard]] GstMessage* new_reloaded_message(GstElement* element, const Model& model, const std::string& model_file);

/// "padim-learned" for frames that the operator showed, "padim-adapted" for drift that was followed, with the times of
/// the latest frame: frames-shown (guint64: by the operator; padim-learned only), frames (guint64: that the model rests
/// on now), threshold, previous-threshold (gdouble), model-id, previous-model-id (string).
[[nodiscard]] GstMessage* new_learned_message(GstElement* element, const FrameTimes& times, const Model& before,
                                              const Model& after, std::uint64_t frames_shown);

/// Thins a stream of messages by running time.
class MessageInterval {
 public:
  /// True for the first frame, then for one of every `interval_ns`; for all where the interval is 0 or times are
  /// unknown. Time that went backwards, as after a seek, begins a new interval.
  [[nodiscard]] bool due(GstClockTime running_time, std::uint64_t interval_ns);

 private:
  GstClockTime last_ = GST_CLOCK_TIME_NONE;
};

/// Progress of one fit on the bus, throttled. Nothing is posted before the element plays: gst-launch-1.0 does not start
/// to play while progress is going on, so that a fit that waits for more than the preroll's frame would never end.
class FitProgress {
 public:
  /// total: frames wanted, 0: unknown. The element must outlive this object.
  FitProgress(GstElement* element, std::uint64_t total) : element_(element), total_(total) {}

  void collected(std::uint64_t frames);
  void computing(double done);  ///< 0..1
  void completed(const std::string& text);
  void failed(const std::string& text);
  void dropped(std::uint64_t frames);

 private:
  void proceed(const std::string& text);
  void post(GstProgressType type, const std::string& text);

  GstElement* element_;
  std::uint64_t total_;
  bool started_ = false;
  GstClockTime next_post_ = 0;  ///< system_time
};

}  // namespace padim::gst
