#include "padimmessages.h"

#include "gst-common/owned.h"
#include "systemtime.h"
#include "wallclock.h"

namespace padim::gst {
namespace {

constexpr char kProgressCode[] = "padim-fit";
constexpr GstClockTime kProgressInterval_ns = GST_SECOND;

// Of a message that speaks of no frame, or of none that came: now.
std::string wall_clock(gint64 unix_us = 0) { return rfc3339(unix_us != 0 ? unix_us : g_get_real_time()); }

GstStructure* new_structure(const char* name, const FrameTimes& times) {
  return gst_structure_new(name, "wall-clock", G_TYPE_STRING, wall_clock(times.wall_clock_us).c_str(), "timestamp",
                           G_TYPE_UINT64, times.pts, "stream-time", G_TYPE_UINT64, times.stream_time, "running-time",
                           G_TYPE_UINT64, times.running_time, "duration", G_TYPE_UINT64, times.duration, "offset",
                           G_TYPE_UINT64, times.offset, "frame", G_TYPE_UINT64, times.frame, nullptr);
}

GstMessage* new_message(GstElement* element, GstStructure* structure) {
  const Owned<gchar> name(gst_element_get_name(element));
  gst_structure_set(structure, "source", G_TYPE_STRING, name.get(), nullptr);
  return gst_message_new_element(GST_OBJECT(element), structure);
}

// Of a frame that is handed on after the message: who takes a picture on hearing of it waits for that frame.
GstStructure* new_coming_structure(const char* name, const FrameTimes& times) {
  GstStructure* structure = new_structure(name, times);
  gst_structure_set(structure, "frame-follows", G_TYPE_BOOLEAN, TRUE, nullptr);
  return structure;
}

void set_detection(GstStructure* structure, const Detection& detection) {
  gst_structure_set(structure, "score", G_TYPE_DOUBLE, detection.score, "raw-score", G_TYPE_DOUBLE, detection.raw_score,
                    "threshold", G_TYPE_DOUBLE, detection.threshold, "regions", G_TYPE_UINT,
                    static_cast<guint>(detection.regions.size()), nullptr);
}

void set_model(GstStructure* structure, const Model& model, const std::string& model_file) {
  const ModelInfo& info = model.info();
  gst_structure_set(structure, "frames", G_TYPE_UINT64, static_cast<guint64>(info.frames), "frames-held-out",
                    G_TYPE_UINT64, static_cast<guint64>(info.calibration.scores.size()), "threshold", G_TYPE_DOUBLE,
                    info.calibration.threshold, "model-id", G_TYPE_STRING, model.id().c_str(), nullptr);
  if (!model_file.empty()) gst_structure_set(structure, "model-file", G_TYPE_STRING, model_file.c_str(), nullptr);
}

bool is_playing(GstElement* element) {
  GST_OBJECT_LOCK(element);
  const bool playing = GST_STATE(element) == GST_STATE_PLAYING;
  GST_OBJECT_UNLOCK(element);
  return playing;
}

}  // namespace

GstMessage* new_score_message(GstElement* element, const FrameTimes& times, const Detection& detection) {
  GstStructure* structure = new_coming_structure("padim-score", times);
  set_detection(structure, detection);
  gst_structure_set(structure, "anomalous", G_TYPE_BOOLEAN, static_cast<gboolean>(detection.anomalous), nullptr);
  return new_message(element, structure);
}

GstMessage* new_anomaly_begin_message(GstElement* element, const FrameTimes& times, const Detection& detection,
                                      const AnomalyEvent& event) {
  GstStructure* structure = new_coming_structure("padim-anomaly-begin", times);
  set_detection(structure, detection);
  gst_structure_set(structure, "begin-running-time", G_TYPE_UINT64, event.first.running_time, nullptr);
  return new_message(element, structure);
}

GstMessage* new_anomaly_end_message(GstElement* element, const AnomalyEvent& event) {
  GstStructure* structure = new_structure("padim-anomaly-end", event.last);
  gst_structure_set(structure, "peak-score", G_TYPE_DOUBLE, event.peak_score, "begin-running-time", G_TYPE_UINT64,
                    event.first.running_time, "frames", G_TYPE_UINT64, static_cast<guint64>(event.frames), nullptr);
  return new_message(element, structure);
}

GstMessage* new_scene_begin_message(GstElement* element, const FrameTimes& times, const SceneChange& change) {
  GstStructure* structure = new_coming_structure("padim-scene-changed-begin", times);
  gst_structure_set(structure, "cause", G_TYPE_STRING, to_string(change.cause).c_str(), "what-to-do", G_TYPE_STRING,
                    what_to_do(change.cause).c_str(), "begin-running-time", G_TYPE_UINT64,
                    static_cast<guint64>(change.first), nullptr);
  return new_message(element, structure);
}

GstMessage* new_scene_end_message(GstElement* element, const FrameTimes& times, const SceneChange& change) {
  GstStructure* structure = new_structure("padim-scene-changed-end", times);
  gst_structure_set(structure, "cause", G_TYPE_STRING, to_string(change.cause).c_str(), "begin-running-time",
                    G_TYPE_UINT64, static_cast<guint64>(change.first), "end-running-time", G_TYPE_UINT64,
                    static_cast<guint64>(change.last), nullptr);
  return new_message(element, structure);
}

GstMessage* new_drop_message(GstElement* element, const FrameTimes& times, const FrameCounts& counts) {
  GstMessage* message =
      gst_message_new_qos(GST_OBJECT(element), FALSE, times.running_time, times.stream_time, times.pts, times.duration);
  gst_message_set_qos_stats(message, GST_FORMAT_BUFFERS, counts.handed_on, counts.dropped);
  return message;
}

GstMessage* new_finishing_message(GstElement* element, const FrameTimes& times, std::uint64_t frames) {
  GstStructure* structure = new_structure("padim-finishing", times);
  gst_structure_set(structure, "frames", G_TYPE_UINT64, static_cast<guint64>(frames), nullptr);
  return new_message(element, structure);
}

GstMessage* new_fitted_message(GstElement* element, const FrameTimes& times, const Model& model,
                               const FitReport& report) {
  GstStructure* structure = new_structure("padim-fitted", times);
  set_model(structure, model, report.model_file);
  const Examination& examination = model.info().examination;
  gst_structure_set(structure, "frames-seen", G_TYPE_UINT64, static_cast<guint64>(report.frames_seen),
                    "frames-left-out", G_TYPE_UINT64, static_cast<guint64>(examination.dropped + examination.repeats),
                    "frames-passed-over", G_TYPE_UINT64, static_cast<guint64>(report.passed_over), nullptr);
  std::string outliers;
  for (const OddFrame& odd : examination.outliers) outliers += (outliers.empty() ? "" : ", ") + odd.name;
  if (!outliers.empty()) gst_structure_set(structure, "outliers", G_TYPE_STRING, outliers.c_str(), nullptr);
  return new_message(element, structure);
}

GstMessage* new_reloaded_message(GstElement* element, const Model& model, const std::string& model_file) {
  GstStructure* structure =
      gst_structure_new("padim-reloaded", "wall-clock", G_TYPE_STRING, wall_clock().c_str(), nullptr);
  set_model(structure, model, model_file);
  return new_message(element, structure);
}

bool MessageInterval::due(GstClockTime running_time, std::uint64_t interval_ns) {
  const bool known = GST_CLOCK_TIME_IS_VALID(last_) && GST_CLOCK_TIME_IS_VALID(running_time);
  if (known && running_time >= last_ && running_time - last_ < interval_ns) return false;
  last_ = running_time;
  return true;
}

GstMessage* new_learned_message(GstElement* element, const FrameTimes& times, const Model& before, const Model& after,
                                std::uint64_t frames_shown) {
  GstStructure* structure = new_structure(frames_shown > 0 ? "padim-learned" : "padim-adapted", times);
  gst_structure_set(structure, "frames", G_TYPE_UINT64, static_cast<guint64>(after.info().frames), "threshold",
                    G_TYPE_DOUBLE, after.info().calibration.threshold, "previous-threshold", G_TYPE_DOUBLE,
                    before.info().calibration.threshold, "model-id", G_TYPE_STRING, after.id().c_str(),
                    "previous-model-id", G_TYPE_STRING, before.id().c_str(), nullptr);
  if (frames_shown > 0) {
    gst_structure_set(structure, "frames-shown", G_TYPE_UINT64, static_cast<guint64>(frames_shown), nullptr);
  }
  return new_message(element, structure);
}

void FitProgress::collected(std::uint64_t frames) {
  const std::string of = total_ > 0 ? " of " + std::to_string(total_) : "";
  proceed("Fitted " + std::to_string(frames) + of + " frames");
}

void FitProgress::computing(double done) {
  proceed("Computing the model: " + std::to_string(static_cast<int>(done * 100)) + " %");
}

void FitProgress::completed(const std::string& text) {
  if (!started_) post(GST_PROGRESS_TYPE_START, "Fitting");
  post(GST_PROGRESS_TYPE_COMPLETE, text);
}

void FitProgress::failed(const std::string& text) {
  if (started_) post(GST_PROGRESS_TYPE_ERROR, text);
}

void FitProgress::dropped(std::uint64_t frames) {
  if (started_) post(GST_PROGRESS_TYPE_CANCELED, "Fit dropped after " + std::to_string(frames) + " frames");
}

void FitProgress::proceed(const std::string& text) {
  if (!started_ && !is_playing(element_)) return;
  if (started_ && system_time() < next_post_) return;
  post(started_ ? GST_PROGRESS_TYPE_CONTINUE : GST_PROGRESS_TYPE_START, text);
}

void FitProgress::post(GstProgressType type, const std::string& text) {
  started_ = type == GST_PROGRESS_TYPE_START || type == GST_PROGRESS_TYPE_CONTINUE;
  next_post_ = system_time() + kProgressInterval_ns;
  gst_element_post_message(element_, gst_message_new_progress(GST_OBJECT(element_), type, kProgressCode, text.c_str()));
}

}  // namespace padim::gst
