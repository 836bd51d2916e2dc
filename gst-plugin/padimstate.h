#pragma once

#include <gst/video/video.h>

#include <cstdint>
#include <memory>
#include <optional>

#include "anomalyevents.h"
#include "framerate.h"
#include "framestatistics.h"
#include "gst-common/frametimes.h"
#include "gst-common/timeline.h"
#include "inferenceschedule.h"
#include "jsonlines.h"
#include "modelprovider.h"
#include "modelupkeep.h"
#include "padim/detector.h"
#include "padim/error.h"
#include "padim/frame_record.h"
#include "padim/overlay.h"
#include "padim/scene.h"
#include "padimsettings.h"
#include "shared.h"

namespace padim::gst {

/// What the element holds from start to stop, and its work on each frame. Streaming thread only; posts messages itself,
/// with no lock held, and throws what must become an error.
class State {
 public:
  /// Opens what the mode needs: model and backbone, or backbone and a new fit. A loaded model is run once, so that the
  /// first frame is as fast as the others. element and shared must outlive the state.
  State(GstElement* element, const Setup& setup, const LiveSettings& live, Shared& shared);

  /// Throws mismatch for video that does not fit the model in use; the format before stays in force then, as it does
  /// in the base class.
  void set_format(const GstVideoInfo& info);

  /// Decides what happens to the next frame: follows requests, takes a new model, starts what a new mode needs.
  void begin_frame(const LiveSettings& live);

  /// Frames pass without being touched: the buffer need not be writable.
  [[nodiscard]] bool passes_through() const { return live_.mode == Mode::off; }

  enum class Outcome { hand_on, drop };

  /// Works on the frame that begin_frame() announced. buffer is writable unless passes_through(). times: as the buffer
  /// and its segment have them.
  [[nodiscard]] Outcome process(GstBuffer* buffer, FrameTimes times);

  /// Ends what is open, an anomaly or a changed scene, and the fit that is going on; returns when its model is saved,
  /// or where shared.interruption wants the thread back.
  void end_of_stream();

  /// Ends what is open and forgets the last result; the statistics of a fit are kept.
  void flush();

  /// Ends what is open; waits for a fit that was to be finished, if its model is to be saved.
  void stop();

 private:
  void post_instead_of_fit() const;
  [[nodiscard]] std::string source_name() const;
  [[nodiscard]] FrameState work() const;
  void follow_requests();
  void reset();
  void reload();
  void take_new_model();
  void publish_model();
  void refresh_model();
  void watch_new_scene();
  void enter_mode(Mode before);
  void check_format(const GstVideoInfo& info) const;
  void place_in_time(FrameTimes& times);
  [[nodiscard]] GstClockTime clock_time() const;
  void interrupt();

  [[nodiscard]] FrameState work_on(GstBuffer* buffer, const FrameTimes& times);
  void fit_frame(GstBuffer* buffer, const FrameTimes& times);
  // These return what became of the frame.
  [[nodiscard]] FrameState detect_frame(GstBuffer* buffer, const FrameTimes& times);
  const Detection& infer(GstBuffer* buffer, const FrameTimes& times);
  [[nodiscard]] FrameState score_frame(GstBuffer* buffer, const FrameTimes& times);
  [[nodiscard]] FrameState reuse_result(GstBuffer* buffer, const FrameTimes& times);
  [[nodiscard]] FrameState drop_frame(const FrameTimes& times);
  [[nodiscard]] FrameState pass_broken(const FrameTimes& times, const Error& cause);
  void count(FrameState state);
  void finish_frame(GstBuffer* buffer, const Detection& detection, const FrameTimes& times, FrameState state);
  void add_processing_time(GstClockTime time);
  void set_processing_time(GstClockTime time);
  void post_latency();
  void draw(GstBuffer* buffer, const Detection& detection);
  void attach(GstBuffer* buffer, const Detection& detection, FrameState state) const;
  void post_messages(const Detection& detection, const FrameTimes& times, FrameState state);
  void watch_scene(const Detection& detection, const FrameTimes& times, FrameState state);
  void post_scene(const SceneUpdate& update, const FrameTimes& times);
  void post_anomaly_end() const;
  void post_event_ends();
  void report(const FrameTimes& times, FrameState state, const Detection* detection);
  void log_frame(FrameState state, const Detection* detection) const;
  void write_record(const FrameTimes& times, FrameState state, const Detection* detection);

  GstElement* element_;
  Shared& shared_;
  LiveSettings live_;
  std::optional<GstVideoInfo> format_;
  ModelProvider provider_;
  ModelUpkeep upkeep_;
  Timeline timeline_;
  GstClockTime started_at_;  ///< system_time
  InferenceSchedule schedule_;
  FrameTimes inference_;  ///< of the frame that the network saw last
  std::unique_ptr<Overlay> overlay_;
  FrameRate frame_rate_;
  std::string caption_;
  AnomalyEvents events_;
  SceneMonitor scene_;  ///< its frames are named by their running times
  MessageInterval score_messages_;
  std::optional<JsonLines> json_;
  std::string model_file_;          ///< that a reload reads; empty: none
  FrameStatistics::Counts counts_;  ///< of the frames before this one
  std::uint64_t broken_in_a_row_ = 0;
  double overlay_ms_ = 0;  ///< of this frame; 0 where nothing was drawn
};

}  // namespace padim::gst
