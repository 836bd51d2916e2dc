#include "padimstate.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <utility>
#include <vector>

#include "backbonefactory.h"
#include "framemetas.h"
#include "padim/error.h"
#include "padim/frame_record.h"
#include "padimmessages.h"
#include "videoframe.h"

namespace padim::gst {
namespace {

bool fits(Mode mode) { return mode == Mode::fit || mode == Mode::fit_then_detect; }

bool detects(Mode mode) { return mode == Mode::detect || mode == Mode::fit_then_detect; }

bool equal(const OverlayOptions& a, const OverlayOptions& b) {
  return a.parts.heatmap == b.parts.heatmap && a.parts.contour == b.parts.contour && a.parts.boxes == b.parts.boxes &&
         a.parts.text == b.parts.text && a.colormap == b.colormap && a.opacity == b.opacity && a.floor == b.floor;
}

// Whether drawing would change a pixel: memory that others hold too is copied only then.
bool draws(const OverlayOptions& options, const Detection& detection) {
  if (options.parts.text) return true;
  if (options.parts.heatmap && options.opacity > 0 && detection.score >= options.floor) return true;
  return (options.parts.boxes || options.parts.contour) && !detection.regions.empty();
}

std::optional<std::int64_t> known(GstClockTime time) {
  return GST_CLOCK_TIME_IS_VALID(time) ? std::optional(static_cast<std::int64_t>(time)) : std::nullopt;
}

GstClockTime time_since(gint64 begin_us) {
  return static_cast<GstClockTime>(std::max<gint64>(g_get_monotonic_time() - begin_us, 0)) * GST_USECOND;
}

// The first run of a network plans its kernels and allocates its scratch memory. The time of the second is returned.
GstClockTime warm_up(Detector& detector) {
  const Size size = detector.model().info().geometry.fitted_frame;
  const std::vector<std::uint8_t> grey(static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height),
                                       128);
  ImageView frame;
  frame.format = PixelFormat::gray8;
  frame.width = size.width;
  frame.height = size.height;
  frame.data[0] = grey.data();
  frame.stride[0] = size.width;
  detector.detect(frame);
  const gint64 begin_us = g_get_monotonic_time();
  detector.detect(frame);
  return time_since(begin_us);
}

}  // namespace

State::State(GstElement* element, const Settings& settings, Shared& shared)
    : element_(element), settings_(settings), shared_(shared), published_(shared.published), live_(settings.live) {
  if (!settings_.json_location.empty()) json_.emplace(settings_.json_location, settings_.json_max_bytes);
  if (fits(live_.mode)) start_fit();
  if (live_.mode == Mode::detect) load_model();
}

std::string State::source_name() const {
  gchar* name = gst_element_get_name(element_);
  std::string copy = name;
  g_free(name);
  return copy;
}

std::shared_ptr<const Backbone> State::open(const std::string& name) const {
  return make_backbone(backbone_options(settings_, name, split_folders(std::getenv("PADIM_BACKBONES"))));
}

void State::start_fit() {
  Settings settings = settings_;
  settings.live.mode = live_.mode;
  const std::string name = settings.backbone.empty() ? BackboneOptions{}.name : settings.backbone;
  if (!backbone_ || backbone_->info().name != name) backbone_ = open(name);
  fit_ = std::make_unique<FitSession>(element_, settings, backbone_, published_);
}

// The only place where a fit ends well: at fit-frames, at finish-fit, and at the end of the stream.
void State::finish_fit() {
  const std::unique_ptr<FitSession> fit = std::move(fit_);
  Model model = fit->finish();
  backbone_ = fit->backbone();
  use_model(std::move(model));
}

void State::load_model() {
  if (settings_.model_file.empty()) {
    throw Error(ErrorCode::invalid_argument,
                "mode=detect has no model: set model-file to a .padim file, or fit one with mode=fit or "
                "fit-then-detect");
  }
  Model model = Model::load(settings_.model_file);
  const std::string& name = model.info().backbone;
  if (!settings_.backbone.empty() && settings_.backbone != name) {
    throw Error(ErrorCode::invalid_argument, "model '" + settings_.model_file + "' was fitted with backbone '" + name +
                                                 "', but backbone is set to '" + settings_.backbone +
                                                 "': leave backbone unset, or fit a model with it");
  }
  backbone_ = open(name);
  published_.set_model(model);
  use_model(std::move(model));
  set_processing_time(warm_up(*detector_));
}

void State::use_model(Model model) {
  detector_ = std::make_unique<Detector>(backbone_, std::move(model), DetectorOptions{settings_.threads});
  schedule_.reset();
}

void State::check_format(const GstVideoInfo& info) const {
  if (!detector_ || fit_ || !detects(live_.mode)) return;
  static_cast<void>(map_to_frame(detector_->model().info().geometry, {info.width, info.height}));
}

void State::set_format(const GstVideoInfo& info) {
  check_format(info);
  format_ = info;
  schedule_.reset();
}

void State::begin_frame(const LiveSettings& live) {
  const Mode before = std::exchange(live_, live).mode;
  if (fit_ && published_.finish_requested()) finish_fit();
  if (live_.mode == before) return;
  if (fits(live_.mode) && !fit_) start_fit();
  if (live_.mode == Mode::detect && !detector_) load_model();
  if (!detects(live_.mode)) post_event_end();
  if (live_.mode == Mode::off) set_processing_time(0);
}

State::Outcome State::process(GstBuffer* buffer, const FrameTimes& times) {
  Outcome outcome = Outcome::hand_on;
  if (fit_ && fits(live_.mode)) {
    fit_frame(buffer, times);
  } else if (detects(live_.mode)) {
    outcome = detect_frame(buffer, times);
  } else {
    write_record(times, "off", nullptr);
  }
  ++frame_;
  return outcome;
}

void State::fit_frame(GstBuffer* buffer, const FrameTimes& times) {
  const gint64 begin_us = g_get_monotonic_time();
  {
    const MappedFrame frame(*format_, buffer, GST_MAP_READ);
    fit_->add(frame.view(), times);
  }
  add_processing_time(begin_us);
  write_record(times, "fit", nullptr);
  if (fit_->complete()) finish_fit();
}

State::Outcome State::detect_frame(GstBuffer* buffer, const FrameTimes& times) {
  using Plan = InferenceSchedule::Plan;
  const gint64 begin_us = g_get_monotonic_time();
  const bool late = shared_.lateness.is_late(times);
  const Plan plan = schedule_.plan(live_, times, late, shared_.processing_time.latency());
  if (plan == Plan::score) {
    const Detection& detection = infer(buffer, times);
    finish_frame(buffer, detection, times, Freshness::scored);
    post_messages(detection, times);
    add_processing_time(begin_us);
    return Outcome::hand_on;
  }
  schedule_.skipped();
  if (plan == Plan::reuse) {
    finish_frame(buffer, detector_->judge(live_.threshold), times, Freshness::reused);
    return Outcome::hand_on;
  }
  ++dropped_;
  write_record(times, "drop", nullptr);
  gst_element_post_message(element_, new_drop_message(element_, times, {frame_ + 1 - dropped_, dropped_}));
  return Outcome::drop;
}

const Detection& State::infer(GstBuffer* buffer, const FrameTimes& times) {
  const MappedFrame frame(*format_, buffer, GST_MAP_READ);
  const Detection& detection = detector_->detect(frame.view(), live_.threshold);
  schedule_.scored(times);
  inference_pts_ = times.pts;
  return detection;
}

void State::finish_frame(GstBuffer* buffer, const Detection& detection, const FrameTimes& times, Freshness freshness) {
  draw(buffer, detection);
  attach(buffer, detection, freshness);
  published_.set_last_score(detection.score);
  write_record(times, freshness == Freshness::scored ? "detect" : "reuse", &detection);
}

void State::draw(GstBuffer* buffer, const Detection& detection) {
  const OverlayOptions options = overlay_options(live_);
  if (!draws(options, detection)) return;
  if (!overlay_ || !equal(options, overlay_options_)) overlay_ = std::make_unique<Overlay>(options);
  overlay_options_ = options;
  MappedFrame frame(*format_, buffer, GST_MAP_READWRITE);
  overlay_->draw(frame.mutable_view(), detection);
}

void State::attach(GstBuffer* buffer, const Detection& detection, Freshness freshness) const {
  if ((live_.attach_meta & kMetaScore) != 0) {
    const bool reused = freshness == Freshness::reused;
    add_padim_meta(buffer, detection, detector_->model(), {inference_pts_, reused, frame_});
  }
  if ((live_.attach_meta & kMetaRoi) != 0) add_region_metas(buffer, detection);
  if ((live_.attach_meta & kMetaAnalytics) != 0) add_analytics_meta(buffer, detection);
  if ((live_.attach_meta & kMetaTensor) != 0) add_tensor_meta(buffer, detection);
}

void State::post_messages(const Detection& detection, const FrameTimes& times) {
  const auto change =
      events_.update(detection.anomalous, detection.score, times, {live_.min_anomalous_frames, live_.event_gap_ns});
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
  if (published_.take_json_reopen()) json_->reopen();
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
  if (fit_) finish_fit();
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
  if (fit_ && published_.finish_requested()) finish_fit();
}

}  // namespace padim::gst
