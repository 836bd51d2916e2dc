#include "padimstate.h"

#include <algorithm>
#include <string>
#include <utility>

#include "framemetas.h"
#include "gst-common/owned.h"
#include "gst-common/videoframe.h"
#include "guard.h"
#include "padim/error.h"
#include "padim/frame_record.h"
#include "padimmessages.h"

namespace padim::gst {
namespace {

bool fits(Mode mode) { return mode == Mode::fit || mode == Mode::fit_then_detect; }

bool detects(Mode mode) { return mode == Mode::detect || mode == Mode::fit_then_detect; }

bool equal(const OverlayOptions& a, const OverlayOptions& b) {
  return a.parts.heatmap == b.parts.heatmap && a.parts.contour == b.parts.contour && a.parts.boxes == b.parts.boxes &&
         a.parts.text == b.parts.text && a.colormap == b.colormap && a.opacity == b.opacity && a.floor == b.floor &&
         a.base == b.base;
}

// Whether drawing would change a pixel: memory that others hold too is copied only then.
bool draws(const OverlayOptions& options, const Detection& detection) {
  if (options.parts.text || options.base == OverlayBase::map) return true;
  if (options.parts.heatmap && options.opacity > 0 && detection.score >= options.floor) return true;
  return (options.parts.boxes || options.parts.contour) && !detection.regions.empty();
}

std::optional<std::int64_t> known(GstClockTime time) {
  return GST_CLOCK_TIME_IS_VALID(time) ? std::optional(static_cast<std::int64_t>(time)) : std::nullopt;
}

GstClockTime time_since(gint64 begin_us) {
  return static_cast<GstClockTime>(std::max<gint64>(g_get_monotonic_time() - begin_us, 0)) * GST_USECOND;
}

}  // namespace

State::State(GstElement* element, const Settings& settings, Shared& shared)
    : element_(element),
      settings_(settings),
      shared_(shared),
      live_(settings.live),
      provider_(element, settings, shared),
      learning_(element, settings) {
  if (!settings_.json_location.empty()) json_.emplace(settings_.json_location, settings_.json_max_bytes);
  if (fits(live_.mode)) provider_.start_fit(live_.mode);
  if (live_.mode == Mode::detect) use(load_model(settings_));
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

RegionLimits State::region_limits() const { return {static_cast<int>(live_.max_regions), live_.min_region_area}; }

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
  if (work() == Work::detect && !settings_.model_file.empty()) return provider_.reload();
  const std::string reason =
      settings_.model_file.empty() ? "model-file is not set" : "no model is in use, as the element is not detecting";
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
      write_record(times, "finishing", nullptr);
      break;
    case Work::await_model:
      write_record(times, "loading", nullptr);
      break;
    case Work::none:
      write_record(times, "off", nullptr);
      break;
  }
  ++frame_;
  return outcome;
}

void State::fit_frame(GstBuffer* buffer, const FrameTimes& times) {
  const gint64 begin_us = g_get_monotonic_time();
  write_record(times, "fit", nullptr);
  const MappedFrame frame(*format_, buffer, GST_MAP_READ);
  provider_.add(frame.view(), times);
  add_processing_time(begin_us);
}

State::Outcome State::detect_frame(GstBuffer* buffer, const FrameTimes& times) {
  using Plan = InferenceSchedule::Plan;
  const gint64 begin_us = g_get_monotonic_time();
  const bool late = shared_.lateness.is_late(times);
  const Plan plan =
      learning_.in_stretch() ? Plan::score : schedule_.plan(live_, times, late, shared_.processing_time.latency());
  if (plan == Plan::score) {
    const bool shown = learning_.in_stretch();
    const Detection& detection = infer(buffer, times);
    finish_frame(buffer, detection, times, shown ? Freshness::learned : Freshness::scored);
    post_messages(detection, times, shown ? Verdict::normal : Verdict::by_score);
    learning_.observe(*in_use_, detection, live_.adapt_half_life);
    add_processing_time(begin_us);
    refresh_model();
    return Outcome::hand_on;
  }
  schedule_.skipped();
  if (plan == Plan::reuse) {
    finish_frame(buffer, in_use_->detector->judge(live_.threshold, region_limits()), times, Freshness::reused);
    return Outcome::hand_on;
  }
  ++dropped_;
  write_record(times, "drop", nullptr);
  gst_element_post_message(element_, new_drop_message(element_, times, {frame_ + 1 - dropped_, dropped_}));
  return Outcome::drop;
}

const Detection& State::infer(GstBuffer* buffer, const FrameTimes& times) {
  const MappedFrame frame(*format_, buffer, GST_MAP_READ);
  const Detection& detection = in_use_->detector->detect(frame.view(), live_.threshold, region_limits());
  schedule_.scored(times);
  inference_ = times;
  return detection;
}

void State::finish_frame(GstBuffer* buffer, const Detection& detection, const FrameTimes& times, Freshness freshness) {
  draw(buffer, detection);
  attach(buffer, detection, freshness);
  shared_.published.set_last_score(detection.score);
  const char* state = freshness == Freshness::scored ? "detect" : freshness == Freshness::learned ? "learn" : "reuse";
  write_record(times, state, &detection);
}

void State::draw(GstBuffer* buffer, const Detection& detection) {
  const OverlayOptions options = overlay_options(live_);
  const double rate = frame_rate_.add(g_get_monotonic_time());
  if (!draws(options, detection)) return;
  if (!overlay_ || !equal(options, overlay_options_)) overlay_ = std::make_unique<Overlay>(options);
  overlay_options_ = options;
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

void State::write_record(const FrameTimes& times, const char* state, const Detection* detection) {
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
void State::add_processing_time(gint64 begin_us) {
  if (shared_.processing_time.add(time_since(begin_us))) post_latency();
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
