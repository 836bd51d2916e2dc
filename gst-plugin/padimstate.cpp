#include "padimstate.h"

#include <algorithm>
#include <string>
#include <utility>

#include "framemetas.h"
#include "gst-common/owned.h"
#include "gst-common/videoframe.h"
#include "guard.h"
#include "padim/error.h"
#include "padimmessages.h"
#include "systemtime.h"

namespace padim::gst {
namespace {

bool fits(Mode mode) { return mode == Mode::fit || mode == Mode::fit_then_detect; }

bool detects(Mode mode) { return mode == Mode::detect || mode == Mode::fit_then_detect; }

std::optional<std::int64_t> known(GstClockTime time) {
  return GST_CLOCK_TIME_IS_VALID(time) ? std::optional(static_cast<std::int64_t>(time)) : std::nullopt;
}

}  // namespace

State::State(GstElement* element, const Setup& setup, const LiveSettings& live, Shared& shared)
    : element_(element),
      shared_(shared),
      live_(live),
      provider_(element, setup.fit, setup.detect, shared),
      learning_(element, setup.detect.detector.threads),
      can_reload_(!setup.detect.model_file.empty()) {
  if (!setup.json_location.empty()) json_.emplace(setup.json_location, setup.json_max_bytes);
  if (fits(live_.mode)) provider_.start_fit(live_.mode);
  if (live_.mode == Mode::detect) use(load_model(setup.detect));
}

std::string State::source_name() const { return Owned<gchar>(gst_element_get_name(element_)).get(); }

void State::use(LoadedModel loaded) {
  in_use_ = std::move(loaded);
  shared_.published.set_model(in_use_->model());
  shared_.requests.open(Request::learn);
  set_processing_time(in_use_->frame_time);
  schedule_.reset();
}

State::Work State::work() const {
  using Job = ModelProvider::Job;
  if (live_.mode == Mode::off) return Work::none;
  if (fits(live_.mode) && provider_.collecting()) return Work::fit;
  if (fits(live_.mode) && provider_.job() == Job::finishing) return Work::await_fit;
  if (live_.mode == Mode::fit) return Work::none;
  if (in_use_) return Work::detect;
  return provider_.job() == Job::finishing ? Work::await_fit : Work::await_model;
}

void State::check_format(const GstVideoInfo& info) const {
  if (work() != Work::detect) return;
  static_cast<void>(map_to_frame(in_use_->model().info().geometry, {info.width, info.height}));
}

void State::set_format(const GstVideoInfo& info) {
  check_format(info);
  format_ = info;
  schedule_.reset();
}

void State::begin_frame(const LiveSettings& live) {
  const Mode before = std::exchange(live_, live).mode;
  follow_requests();
  take_new_model();
  if (live_.mode != before) enter_mode();
}

void State::follow_requests() {
  Requests& requests = shared_.requests;
  if (requests.take(Request::reset) > 0) reset();
  if (requests.take(Request::finish_fit) > 0) provider_.finish_fit();
  if (provider_.job() == ModelProvider::Job::none && requests.take(Request::reload_model) > 0) reload();
  if (work() != Work::detect) return;  // what is to be learned waits for the model that was announced
  if (const std::uint64_t frames = requests.take(Request::learn); frames > 0) learning_.learn(*in_use_, frames);
}

void State::reset() {
  flush();
  shared_.published.set_last_score(Published::kNoScore);
  provider_.drop_fit();
  learning_.reset();
  if (fits(live_.mode)) provider_.start_fit(live_.mode);
}

void State::reload() {
  if (work() == Work::detect && can_reload_) return provider_.reload();
  const std::string reason =
      can_reload_ ? "no model is in use, as the element is not detecting" : "model-file is not set";
  post_error(element_, GST_MESSAGE_WARNING,
             Error(ErrorCode::invalid_argument, "reload-model has nothing to replace: " + reason), Activity::reloading);
}

void State::take_new_model() {
  const Size frame = format_ ? Size{format_->width, format_->height} : Size{};
  const bool refreshed = provider_.job() == ModelProvider::Job::refreshing;
  auto loaded = provider_.take_new_model(frame);
  if (!loaded) return;
  if (!refreshed) {
    learning_.reset();
    return use(std::move(*loaded));
  }
  learning_.adopt(in_use_->model(), loaded->model(), inference_);
  loaded->frame_time = shared_.processing_time.latency();  // measured, and as before
  use(std::move(*loaded));
}

// Nothing waits for a refresh that could: what is due stays due while the model file is read, say.
void State::refresh_model() {
  if (!learning_.due() || provider_.job() != ModelProvider::Job::none) return;
  provider_.refresh(learning_.take_job(), in_use_->backbone);
}

void State::enter_mode() {
  if (fits(live_.mode)) provider_.start_fit(live_.mode);
  if (live_.mode == Mode::detect && !in_use_ && provider_.job() == ModelProvider::Job::none) provider_.load();
  if (!detects(live_.mode)) post_event_end();
  if (live_.mode == Mode::off) set_processing_time(0);
}

State::Outcome State::process(GstBuffer* buffer, const FrameTimes& times) {
  Outcome outcome = Outcome::hand_on;
  switch (work()) {
    case Work::fit:
      fit_frame(buffer, times);
      break;
    case Work::detect:
      outcome = detect_frame(buffer, times);
      break;
    case Work::await_fit:
      write_record(times, FrameState::finishing, nullptr);
      break;
    case Work::await_model:
      write_record(times, FrameState::loading, nullptr);
      break;
    case Work::none:
      write_record(times, FrameState::off, nullptr);
      break;
  }
  ++frame_;
  return outcome;
}

void State::fit_frame(GstBuffer* buffer, const FrameTimes& times) {
  const GstClockTime begin = system_time();
  write_record(times, FrameState::fit, nullptr);
  const MappedFrame frame(*format_, buffer, GST_MAP_READ);
  provider_.add(frame.view(), times);
  add_processing_time(system_time() - begin);
}

State::Outcome State::detect_frame(GstBuffer* buffer, const FrameTimes& times) {
  using Plan = InferenceSchedule::Plan;
  const GstClockTime begin = system_time();
  const bool late = shared_.lateness.is_late(times);
  const Plan plan =
      learning_.in_stretch() ? Plan::score : schedule_.plan(live_, times, late, shared_.processing_time.latency());
  if (plan == Plan::score) {
    const bool shown = learning_.in_stretch();
    const Detection& detection = infer(buffer, times);
    finish_frame(buffer, detection, times, shown ? Freshness::learned : Freshness::scored);
    post_messages(detection, times, shown ? Verdict::normal : Verdict::by_score);
    learning_.observe(*in_use_, detection, live_.adapt_half_life);
    add_processing_time(system_time() - begin);
    refresh_model();
    return Outcome::hand_on;
  }
  schedule_.skipped();
  if (plan == Plan::reuse) {
    finish_frame(buffer, in_use_->detector->judge(live_.threshold, live_.regions), times, Freshness::reused);
    return Outcome::hand_on;
  }
  ++dropped_;
  write_record(times, FrameState::drop, nullptr);
  gst_element_post_message(element_, new_drop_message(element_, times, {frame_ + 1 - dropped_, dropped_}));
  return Outcome::drop;
}

const Detection& State::infer(GstBuffer* buffer, const FrameTimes& times) {
  const MappedFrame frame(*format_, buffer, GST_MAP_READ);
  const Detection& detection = in_use_->detector->detect(frame.view(), live_.threshold, live_.regions);
  schedule_.scored(times);
  inference_ = times;
  return detection;
}

void State::finish_frame(GstBuffer* buffer, const Detection& detection, const FrameTimes& times, Freshness freshness) {
  draw(buffer, detection);
  attach(buffer, detection, freshness);
  shared_.published.set_last_score(detection.score);
  const FrameState state = freshness == Freshness::scored    ? FrameState::detect
                           : freshness == Freshness::learned ? FrameState::learn
                                                             : FrameState::reuse;
  write_record(times, state, &detection);
}

void State::draw(GstBuffer* buffer, const Detection& detection) {
  const OverlayOptions options = overlay_options(live_);
  const double rate = frame_rate_.add(system_time());
  if (!overlay_ || options != overlay_->options()) overlay_ = std::make_unique<Overlay>(options);
  if (!overlay_->changes(detection)) return;
  MappedFrame frame(*format_, buffer, GST_MAP_READWRITE);
  const auto wants = [&](TextFlag flag) { return (live_.overlay_text & flag) != 0; };
  write_caption(detection, {wants(kTextScore), wants(kTextState), wants(kTextFps) ? rate : 0}, caption_);
  overlay_->draw(frame.mutable_view(), detection, caption_);
}

void State::attach(GstBuffer* buffer, const Detection& detection, Freshness freshness) const {
  if ((live_.attach_meta & kMetaScore) != 0) {
    const bool reused = freshness == Freshness::reused;
    add_padim_meta(buffer, detection, in_use_->model(), {inference_.pts, reused, frame_});
  }
  if ((live_.attach_meta & kMetaRoi) != 0) add_region_metas(buffer, detection);
  if ((live_.attach_meta & kMetaAnalytics) != 0) add_analytics_meta(buffer, detection);
  if ((live_.attach_meta & kMetaTensor) != 0) add_tensor_meta(buffer, detection);
}

void State::post_messages(const Detection& detection, const FrameTimes& times, Verdict verdict) {
  const bool anomalous = detection.anomalous && verdict == Verdict::by_score;
  const auto change =
      events_.update(anomalous, detection.score, times, {live_.min_anomalous_frames, live_.event_gap_ns});
  if (live_.post_messages == PostMessages::none) return;
  if (live_.post_messages == PostMessages::all && score_messages_.due(times.running_time, live_.message_interval_ns)) {
    gst_element_post_message(element_, new_score_message(element_, times, detection, frame_));
  }
  if (change == AnomalyEvents::Change::begun) {
    gst_element_post_message(element_, new_anomaly_begin_message(element_, times, detection, events_.event()));
  } else if (change == AnomalyEvents::Change::ended) {
    gst_element_post_message(element_, new_anomaly_end_message(element_, events_.event()));
  }
}

void State::post_event_end() {
  if (events_.close() && live_.post_messages != PostMessages::none) {
    gst_element_post_message(element_, new_anomaly_end_message(element_, events_.event()));
  }
}

void State::write_record(const FrameTimes& times, FrameState state, const Detection* detection) {
  if (!json_) return;
  FrameRecord record;
  record.source = source_name();
  record.frame = static_cast<std::int64_t>(frame_);
  record.pts_ns = known(times.pts);
  record.running_time_ns = known(times.running_time);
  record.stream_time_ns = known(times.stream_time);
  record.state = state;
  json_->write(to_json(record, detection));
}

void State::end_of_stream() {
  post_event_end();
  learning_.end_stretch();
  refresh_model();
  provider_.end_of_stream();
  take_new_model();
}

void State::flush() {
  post_event_end();
  schedule_.reset();
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
  post_event_end();
  provider_.stop();
}

}  // namespace padim::gst
