#include "padimstate.h"

#include <string>
#include <utility>

#include "debug.h"
#include "framemetas.h"
#include "gst-common/owned.h"
#include "gst-common/videoframe.h"
#include "gstpadimenums.h"
#include "guard.h"
#include "padim/error.h"
#include "padimmessages.h"
#include "systemtime.h"
#include "wallclock.h"

namespace padim::gst {
namespace {

bool fits(Mode mode) { return mode == Mode::fit || mode == Mode::fit_then_detect; }

bool detects(Mode mode) { return mode == Mode::detect || mode == Mode::fit_then_detect; }

std::optional<std::int64_t> known(GstClockTime time) {
  return GST_CLOCK_TIME_IS_VALID(time) ? std::optional(static_cast<std::int64_t>(time)) : std::nullopt;
}

AnomalyEventRules event_rules(const LiveSettings& live) { return {live.min_anomalous_frames, live.event_gap_ns}; }

const char* name_of(InferenceSchedule::Plan plan) {
  switch (plan) {
    case InferenceSchedule::Plan::score:
      return "score";
    case InferenceSchedule::Plan::reuse:
      return "reuse";
    case InferenceSchedule::Plan::drop:
      break;
  }
  return "drop";
}

}  // namespace

State::State(GstElement* element, const Setup& setup, const LiveSettings& live, Shared& shared)
    : element_(element),
      shared_(shared),
      live_(live),
      provider_(element, setup.fit, setup.detect, shared),
      upkeep_(element, setup.detect.detector.threads),
      started_at_(system_time()),
      model_file_(setup.detect.model_file) {
  provider_.prepare(live_.mode);
  // Last, as whatever else fails leaves no trace.
  if (!setup.json_location.empty()) json_.emplace(setup.json_location, setup.json_max_bytes);
  if (provider_.in_use() == nullptr) return;
  if (fits(live_.mode)) post_instead_of_fit();
  publish_model();
  watch_new_scene();
  set_processing_time(provider_.in_use()->frame_time);
}

void State::post_instead_of_fit() const {
  const std::string text = "model-file '" + model_file_ +
                           "' exists: frames are scored with it, and none is fitted; refit=true fits at each start, "
                           "and the signal reset now";
  gst_element_message_full(element_, GST_MESSAGE_INFO, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
                           g_strdup(text.c_str()), nullptr, __FILE__, GST_FUNCTION, __LINE__);
}

std::string State::source_name() const { return Owned<gchar>(gst_element_get_name(element_)).get(); }

void State::publish_model() {
  shared_.published.set_model(provider_.in_use()->model());
  shared_.requests.open(Request::learn);
  schedule_.reset();
}

FrameState State::work() const {
  const bool finishing = provider_.job() == ModelProvider::Job::finishing;
  if (live_.mode == Mode::off) return FrameState::off;
  if (fits(live_.mode)) {
    if (provider_.opening_fit()) return FrameState::loading;
    if (provider_.collecting()) return FrameState::fit;
    if (finishing) return FrameState::finishing;
    if (live_.mode == Mode::fit) return FrameState::off;
  }
  if (provider_.in_use() != nullptr) return FrameState::detect;
  return finishing ? FrameState::finishing : FrameState::loading;
}

void State::check_format(const GstVideoInfo& info) const {
  if (work() != FrameState::detect) return;
  static_cast<void>(map_to_frame(provider_.in_use()->model().info().geometry, {info.width, info.height}));
}

void State::set_format(const GstVideoInfo& info) {
  GST_DEBUG_OBJECT(element_, "caps: %dx%d %s, %d/%d frames per second", info.width, info.height,
                   gst_video_format_to_string(GST_VIDEO_INFO_FORMAT(&info)), info.fps_n, info.fps_d);
  check_format(info);
  format_ = info;
  timeline_.set_frame_rate(info.fps_n, info.fps_d);
  schedule_.reset();
}

void State::begin_frame(const LiveSettings& live) {
  const Mode before = std::exchange(live_, live).mode;
  take_new_model();  // before a request that waits for the job's end: the next job begins with this frame
  follow_requests();
  if (live_.mode != before) enter_mode(before);
  const bool idle = provider_.job() == ModelProvider::Job::none;
  if (live_.mode == Mode::detect && provider_.in_use() == nullptr && idle) provider_.load();
  take_new_model();  // what began just now has ended already where the source is not live
}

void State::follow_requests() {
  Requests& requests = shared_.requests;
  if (requests.take(Request::reset) > 0) reset();
  if (requests.take(Request::finish_fit) > 0) provider_.finish_fit();
  if (provider_.job() == ModelProvider::Job::none && requests.take(Request::reload_model) > 0) reload();
  if (work() != FrameState::detect) return;  // what is to be learned waits for the model that was announced
  if (const std::uint64_t frames = requests.take(Request::learn); frames > 0) {
    upkeep_.learn(*provider_.in_use(), frames);
  }
}

void State::reset() {
  flush();
  shared_.published.set_last_score(Published::kNoScore);
  provider_.drop();
  upkeep_.reset();
  static_cast<void>(shared_.requests.take(Request::learn));
  if (fits(live_.mode)) provider_.start_fit(live_.mode);
}

void State::reload() {
  if (work() == FrameState::detect && !model_file_.empty()) return provider_.reload();
  const std::string reason =
      model_file_.empty() ? "model-file is not set" : "no model is in use, as the element is not detecting";
  post_error(element_, GST_MESSAGE_WARNING,
             Error(ErrorCode::invalid_argument, "reload-model has nothing to replace: " + reason), Activity::reloading);
}

void State::take_new_model() {
  using Job = ModelProvider::Job;
  const auto change = provider_.take_new_model(format_ ? Size{format_->width, format_->height} : Size{});
  if (!change) return;
  publish_model();
  if (change->frame_time) set_processing_time(*change->frame_time);
  const Model& model = provider_.in_use()->model();
  const bool only_drift = change->by == Job::refreshing && change->frames_shown == 0;  // of the same scene
  if (!only_drift) watch_new_scene();
  if (change->by == Job::refreshing) return upkeep_.adopt(*change, model, inference_);
  upkeep_.reset();
  if (change->by != Job::reloading) return;
  gst_element_post_message(element_, new_reloaded_message(element_, model, model_file_));
}

void State::watch_new_scene() {
  post_scene({scene_.reset(), {}}, inference_);
  scene_ = SceneMonitor(provider_.in_use()->model().info().scene);
}

// Nothing waits for a refresh that could: what is due stays due while the model file is read, say.
void State::refresh_model() {
  if (upkeep_.due() && provider_.job() == ModelProvider::Job::none) provider_.refresh(upkeep_.take_refresh());
}

void State::enter_mode(Mode before) {
  GST_DEBUG_OBJECT(element_, "frame %" G_GUINT64_FORMAT ": mode %s after %s", counts_.frames, nick_of(live_.mode),
                   nick_of(before));
  if (fits(live_.mode)) {
    provider_.start_fit(live_.mode);
  } else {
    provider_.forget_unopened_fit();
  }
  if (!detects(live_.mode)) post_event_ends();
  if (live_.mode == Mode::off) set_processing_time(0);
}

// Where the pipeline has no clock yet, as for the frame of its preroll, the time since the start does.
GstClockTime State::clock_time() const {
  const GstClockTime running_time = gst_element_get_current_running_time(element_);
  return GST_CLOCK_TIME_IS_VALID(running_time) ? running_time : time_since(started_at_);
}

void State::place_in_time(FrameTimes& times) {
  times.frame = counts_.frames;
  times.wall_clock_us = g_get_real_time();
  const TimeStep step = timeline_.place(times, clock_time());
  shared_.lateness.follow(times, step);
  if (step.kind == TimeStep::Kind::onward) return;
  GST_INFO_OBJECT(element_, "frame %" G_GUINT64_FORMAT ": the time jumps by %" GST_STIME_FORMAT " to %" GST_TIME_FORMAT,
                  times.frame, GST_STIME_ARGS(step.beyond), GST_TIME_ARGS(times.running_time));
  if (step.kind == TimeStep::Kind::back) return interrupt();
  schedule_.reset();
  if (events_.close_by(times.running_time, event_rules(live_))) post_anomaly_end();
}

State::Outcome State::process(GstBuffer* buffer, FrameTimes times) {
  overlay_ms_ = 0;
  place_in_time(times);
  FrameState state = FrameState::broken;
  try {
    state = work_on(buffer, times);
    broken_in_a_row_ = 0;
  } catch (const BrokenFrame& error) {
    state = pass_broken(times, error);
  }
  count(state);
  return state == FrameState::drop ? Outcome::drop : Outcome::hand_on;
}

FrameState State::work_on(GstBuffer* buffer, const FrameTimes& times) {
  const FrameState state = work();
  if (state == FrameState::detect) return detect_frame(buffer, times);
  if (state == FrameState::fit) {
    fit_frame(buffer, times);
  } else {
    report(times, state, nullptr);
  }
  return state;
}

// A camera that once hands out half a frame ends neither a fit nor a line's inspection; one that goes on so is broken.
FrameState State::pass_broken(const FrameTimes& times, const Error& cause) {
  constexpr std::uint64_t kMost = 30;
  if (++broken_in_a_row_ >= kMost) throw Error(cause.code(), cause.what());
  if (broken_in_a_row_ == 1) {
    post_error(element_, GST_MESSAGE_WARNING,
               Error(cause.code(), "frame " + std::to_string(counts_.frames) + " is left out: " + cause.what()),
               Activity::streaming);
  }
  report(times, FrameState::broken, nullptr);
  return FrameState::broken;
}

void State::count(FrameState state) {
  ++counts_.frames;
  if (state == FrameState::reuse) ++counts_.reused;
  if (state == FrameState::drop) ++counts_.dropped;
  if (state == FrameState::broken) ++counts_.broken;
  shared_.statistics.set(counts_);
}

void State::fit_frame(GstBuffer* buffer, const FrameTimes& times) {
  const GstClockTime begin = system_time();
  const MappedFrame frame(*format_, buffer, GST_MAP_READ);
  report(times, FrameState::fit, nullptr);
  provider_.add(frame.view(), times);
  add_processing_time(time_since(begin));
}

FrameState State::detect_frame(GstBuffer* buffer, const FrameTimes& times) {
  using Plan = InferenceSchedule::Plan;
  const bool late = shared_.lateness.is_late(times);
  const GstClockTime processing_time = shared_.processing_time.latency();
  const Plan plan = upkeep_.in_stretch() ? Plan::score : schedule_.plan(live_, times, late, processing_time);
  if (late) {
    ++counts_.late;
    GST_DEBUG_OBJECT(element_,
                     "frame %" G_GUINT64_FORMAT " is late: running time %" GST_TIME_FORMAT
                     ", in time from %" GST_TIME_FORMAT " on, scored last %" GST_TIME_FORMAT
                     ", processing time %" GST_TIME_FORMAT ": %s",
                     counts_.frames, GST_TIME_ARGS(times.running_time), GST_TIME_ARGS(shared_.lateness.on_time_from()),
                     GST_TIME_ARGS(inference_.running_time), GST_TIME_ARGS(processing_time), name_of(plan));
  }
  if (plan == Plan::score) return score_frame(buffer, times);
  schedule_.skipped();
  return plan == Plan::reuse ? reuse_result(buffer, times) : drop_frame(times);
}

FrameState State::score_frame(GstBuffer* buffer, const FrameTimes& times) {
  const GstClockTime begin = system_time();
  const FrameState state = upkeep_.in_stretch() ? FrameState::learn : FrameState::detect;
  const Detection& detection = infer(buffer, times);
  watch_scene(detection, times, state);
  finish_frame(buffer, detection, times, state);
  post_messages(detection, times, state);
  upkeep_.observe(*provider_.in_use(), detection, live_.adapt_half_life);
  add_processing_time(time_since(begin));
  refresh_model();
  return state;
}

FrameState State::reuse_result(GstBuffer* buffer, const FrameTimes& times) {
  GST_DEBUG_OBJECT(element_, "frame %" G_GUINT64_FORMAT " carries the result of %" GST_TIME_FORMAT, counts_.frames,
                   GST_TIME_ARGS(inference_.pts));
  const Detection& detection = provider_.in_use()->detector->judge(live_.threshold, live_.regions);
  finish_frame(buffer, detection, times, FrameState::reuse);
  return FrameState::reuse;
}

FrameState State::drop_frame(const FrameTimes& times) {
  report(times, FrameState::drop, nullptr);
  const std::uint64_t handed_on = counts_.frames - counts_.dropped;
  gst_element_post_message(element_, new_drop_message(element_, times, {handed_on, counts_.dropped + 1}));
  return FrameState::drop;
}

const Detection& State::infer(GstBuffer* buffer, const FrameTimes& times) {
  const MappedFrame frame(*format_, buffer, GST_MAP_READ);
  Detector& detector = *provider_.in_use()->detector;
  const Detection& detection = detector.detect(frame.view(), live_.threshold, live_.regions);
  shared_.statistics.add(detector.stage_times());
  schedule_.scored(times);
  inference_ = times;
  return detection;
}

void State::finish_frame(GstBuffer* buffer, const Detection& detection, const FrameTimes& times, FrameState state) {
  draw(buffer, detection);
  attach(buffer, detection, state);
  shared_.published.set_last_score(detection.score);
  report(times, state, &detection);
}

void State::draw(GstBuffer* buffer, const Detection& detection) {
  const OverlayOptions options = overlay_options(live_);
  const GstClockTime begin = system_time();
  const double rate = frame_rate_.add(begin);
  if (!overlay_ || options != overlay_->options()) overlay_ = std::make_unique<Overlay>(options);
  if (!overlay_->changes(detection)) return;
  MappedFrame frame(*format_, buffer, GST_MAP_READWRITE);
  const auto wants = [&](TextFlag flag) { return (live_.overlay_text & flag) != 0; };
  const CaptionParts parts{wants(kTextScore), wants(kTextState), wants(kTextFps) ? rate : 0,
                           wants(kTextState) ? scene_.cause() : SceneCause::none};
  write_caption(detection, parts, caption_);
  overlay_->draw(frame.mutable_view(), detection, caption_);
  overlay_ms_ = static_cast<double>(time_since(begin)) / GST_MSECOND;
  shared_.statistics.add_overlay(overlay_ms_);
}

void State::attach(GstBuffer* buffer, const Detection& detection, FrameState state) const {
  if ((live_.attach_meta & kMetaScore) != 0) {
    const bool reused = state == FrameState::reuse;
    add_padim_meta(buffer, detection, provider_.in_use()->model(),
                   {inference_.pts, reused, counts_.frames, scene_.cause()});
  }
  if ((live_.attach_meta & kMetaRoi) != 0) add_region_metas(buffer, detection);
  if ((live_.attach_meta & kMetaAnalytics) != 0) add_analytics_meta(buffer, detection);
  if ((live_.attach_meta & kMetaTensor) != 0) add_tensor_meta(buffer, detection);
}

// What the operator shows is no anomaly, whatever it scores.
void State::post_messages(const Detection& detection, const FrameTimes& times, FrameState state) {
  const bool anomalous = detection.anomalous && state != FrameState::learn;
  const auto change = events_.update(anomalous, detection.score, times, event_rules(live_));
  if (live_.post_messages == PostMessages::none) return;
  if (live_.post_messages == PostMessages::all && score_messages_.due(times.running_time, live_.message_interval_ns)) {
    gst_element_post_message(element_, new_score_message(element_, times, detection));
  }
  if (change == AnomalyEvents::Change::begun) {
    gst_element_post_message(element_, new_anomaly_begin_message(element_, times, detection, events_.event()));
  } else if (change == AnomalyEvents::Change::ended) {
    post_anomaly_end();
  }
}

// Nor does it show that the scene has changed.
void State::watch_scene(const Detection& detection, const FrameTimes& times, FrameState state) {
  if (state == FrameState::learn) return;
  post_scene(scene_.observe(scene_frame(detection, static_cast<std::int64_t>(times.running_time))), times);
}

void State::post_scene(const SceneUpdate& update, const FrameTimes& times) {
  if (live_.post_messages == PostMessages::none) return;
  if (update.ended) gst_element_post_message(element_, new_scene_end_message(element_, times, *update.ended));
  if (update.begun) gst_element_post_message(element_, new_scene_begin_message(element_, times, *update.begun));
}

void State::post_anomaly_end() const {
  if (live_.post_messages == PostMessages::none) return;
  gst_element_post_message(element_, new_anomaly_end_message(element_, events_.event()));
}

void State::post_event_ends() {
  if (events_.close()) post_anomaly_end();
  post_scene({scene_.reset(), {}}, inference_);
}

void State::report(const FrameTimes& times, FrameState state, const Detection* detection) {
  log_frame(state, detection);
  write_record(times, state, detection);
}

void State::log_frame(FrameState state, const Detection* detection) const {
  if (detection == nullptr) {
    GST_LOG_OBJECT(element_, "frame %" G_GUINT64_FORMAT ": %s", counts_.frames, to_string(state).c_str());
  } else if (state == FrameState::reuse) {
    GST_LOG_OBJECT(element_, "frame %" G_GUINT64_FORMAT ": %s, score %.3f; ms: overlay %.2f", counts_.frames,
                   to_string(state).c_str(), detection->score, overlay_ms_);
  } else {
    const StageTimes& times = provider_.in_use()->detector->stage_times();
    GST_LOG_OBJECT(element_,
                   "frame %" G_GUINT64_FORMAT
                   ": %s, score %.3f; ms: preprocess %.2f, network %.2f, embedding %.2f, distances %.2f, map %.2f, "
                   "regions %.2f, overlay %.2f",
                   counts_.frames, to_string(state).c_str(), detection->score, times.preprocess, times.network,
                   times.embedding, times.distances, times.map, times.regions, overlay_ms_);
  }
}

void State::write_record(const FrameTimes& times, FrameState state, const Detection* detection) {
  if (!json_) return;
  FrameRecord record;
  record.source = source_name();
  record.frame = static_cast<std::int64_t>(times.frame);
  record.wall_clock = rfc3339(times.wall_clock_us);
  record.pts_ns = known(times.pts);
  record.running_time_ns = known(times.running_time);
  record.stream_time_ns = known(times.stream_time);
  record.state = state;
  if (detection != nullptr) record.scene = scene_.cause();
  json_->write(to_json(record, detection), [&] { return shared_.interruption.token().stop_requested(); });
}

void State::end_of_stream() {
  post_event_ends();
  upkeep_.end_stretch();
  do {
    refresh_model();
    provider_.end_of_stream();
    take_new_model();  // a stretch that ended while this one was being computed is due still
  } while (upkeep_.due() && provider_.job() == ModelProvider::Job::none);
}

// What comes next has nothing to do with what was before.
void State::interrupt() {
  post_event_ends();
  schedule_.reset();
}

void State::flush() {
  interrupt();
  timeline_.reset();
  shared_.lateness.reset();
}

// Of frames that the network sees: what the element adds to the pipeline's latency.
void State::add_processing_time(GstClockTime time) {
  if (shared_.processing_time.add(time)) post_latency();
}

void State::set_processing_time(GstClockTime time) {
  const GstClockTime before = shared_.processing_time.latency();
  shared_.processing_time.reset(time);
  if (time != before) post_latency();
}

void State::post_latency() { gst_element_post_message(element_, gst_message_new_latency(GST_OBJECT(element_))); }

void State::stop() {
  post_event_ends();
  provider_.stop();
}

}  // namespace padim::gst
