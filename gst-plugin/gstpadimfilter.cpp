#include "gstpadimfilter.h"

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "debug.h"
#include "gst-common/owned.h"
#include "gst-common/videoframe.h"
#include "gst/padim/gstpadimmeta.h"
#include "guard.h"
#include "neighbours.h"
#include "padim/error.h"
#include "padim/model.h"
#include "padimproperties.h"
#include "padimsettings.h"
#include "padimstate.h"
#include "shared.h"

namespace padim::gst {
namespace {

/// What an element owns. Lock order: the sink pad's stream lock first; settings_mutex and the mutexes inside `shared`
/// are never held together, nor while another function of this plugin, of GStreamer or of libpadim runs.
struct Filter {
  std::mutex settings_mutex;
  Settings settings;                      ///< any thread, under settings_mutex
  std::optional<FixedSettings> in_force;  ///< likewise; from start to stop

  [[nodiscard]] Settings current_settings() {
    const std::lock_guard lock(settings_mutex);
    return settings;
  }

  [[nodiscard]] LiveSettings live_settings() {
    const std::lock_guard lock(settings_mutex);
    return settings.live;
  }

  /// The settings as they are now: the fixed ones stay in force until stop.
  [[nodiscard]] Settings put_in_force() {
    const std::lock_guard lock(settings_mutex);
    in_force = settings.fixed;
    return settings;
  }

  void put_out_of_force() {
    const std::lock_guard lock(settings_mutex);
    in_force.reset();
  }

  /// Those that are in force, or would be after a start.
  [[nodiscard]] FixedSettings fixed_settings() {
    const std::lock_guard lock(settings_mutex);
    return in_force.value_or(settings.fixed);
  }

  Shared shared;  ///< any thread

  // Under the sink pad's stream lock. A pad takes data from the moment it is activated, which is before start(): where
  // upstream is already running, frames and events may come while there is no state.
  std::unique_ptr<State> state;
  bool failed = false;          ///< an error was posted: no frame is worked on before the next start
  bool format_refused = false;  ///< the error of these caps was posted: they are offered again with each buffer
};

}  // namespace
}  // namespace padim::gst

struct _GstPadimFilter {
  GstVideoFilter parent;
  padim::gst::Filter* filter;
};

G_DEFINE_TYPE(GstPadimFilter, gst_padim_filter, GST_TYPE_VIDEO_FILTER)

namespace padim::gst {
namespace {

enum Signal { kFinishFit, kSaveModel, kReloadModel, kReset, kLearn, kSignals };
guint signals[kSignals];

std::vector<Property>& properties() {
  static std::vector<Property> all = make_properties();
  return all;
}

// Ids of the read-only properties follow those of the table.
guint last_score_id() { return static_cast<guint>(properties().size()) + 1; }
guint model_info_id() { return static_cast<guint>(properties().size()) + 2; }
guint stats_id() { return static_cast<guint>(properties().size()) + 3; }

Filter& filter_of(gpointer object) { return *GST_PADIM_FILTER(object)->filter; }

/// The streaming thread holds it while it works on a frame or a serialised event.
class StreamLock {
 public:
  explicit StreamLock(GstBaseTransform* transform) : pad_(GST_BASE_TRANSFORM_SINK_PAD(transform)) {
    GST_PAD_STREAM_LOCK(pad_);
  }
  ~StreamLock() { GST_PAD_STREAM_UNLOCK(pad_); }
  StreamLock(const StreamLock&) = delete;
  StreamLock& operator=(const StreamLock&) = delete;

 private:
  GstPad* pad_;
};

template <class Body>
bool guarded_stream(gpointer object, Body&& body) {
  return guarded(GST_ELEMENT(object), GST_MESSAGE_ERROR, Activity::streaming, false, [&] {
    body();
    return true;
  });
}

void set_property(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  if (id == 0 || id > properties().size()) {
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    return;
  }
  Filter& filter = filter_of(object);
  const Property& property = properties()[id - 1];
  bool waits = false;
  {
    const std::lock_guard lock(filter.settings_mutex);
    property.set(filter.settings, value);
    waits = is_fixed(property) && filter.in_force;
  }
  if (waits) {
    GST_WARNING_OBJECT(object, "%s was set while the element is running: it takes effect at the next start",
                       spec->name);
  }
}

void get_property(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  Filter& filter = filter_of(object);
  if (id == last_score_id()) {
    g_value_set_double(value, filter.shared.published.last_score());
  } else if (id == model_info_id()) {
    const auto model = filter.shared.published.model();
    g_value_set_string(value, model ? to_json(*model).c_str() : nullptr);
  } else if (id == stats_id()) {
    g_value_take_boxed(value, filter.shared.statistics.to_structure(filter.shared.processing_time.latency()));
  } else if (id == 0 || id > properties().size()) {
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  } else {
    const std::lock_guard lock(filter.settings_mutex);
    properties()[id - 1].get(filter.settings, value);
  }
}

void finalize(GObject* object) {
  delete GST_PADIM_FILTER(object)->filter;
  G_OBJECT_CLASS(gst_padim_filter_parent_class)->finalize(object);
}

// An error is posted after the stream lock is released.
gboolean start(GstBaseTransform* transform) {
  Filter& filter = filter_of(transform);
  const gboolean started = guarded(GST_ELEMENT(transform), GST_MESSAGE_ERROR, Activity::starting, FALSE, [&] {
    const StreamLock stream_lock(transform);
    filter.failed = filter.format_refused = false;
    filter.shared.published.reset();
    filter.shared.interruption.reset();
    filter.shared.lateness.reset();
    filter.shared.processing_time.reset();
    filter.shared.statistics.reset();
    const Settings settings = filter.put_in_force();
    const Setup setup = make_setup(settings.fixed, roles_of_neighbours(GST_ELEMENT(transform)));
    filter.state = std::make_unique<State>(GST_ELEMENT(transform), setup, settings.live, filter.shared);
    filter.shared.requests.open(Request::reload_model);
    filter.shared.requests.open(Request::reset);
    return TRUE;
  });
  if (!started) {
    filter.shared.requests.close_all();
    filter.shared.published.reset();
    filter.put_out_of_force();
  }
  return started;
}

gboolean stop(GstBaseTransform* transform) {
  Filter& filter = filter_of(transform);
  guarded_stream(transform, [&] {
    const StreamLock stream_lock(transform);
    // After a failure, too: a fit that is being finished has nothing to do with it.
    if (filter.state) filter.state->stop();
  });
  const StreamLock stream_lock(transform);
  filter.shared.requests.close_all();
  filter.state.reset();  // ends jobs, which may still have opened requests
  filter.shared.published.reset();
  filter.shared.requests.close_all();
  filter.put_out_of_force();
  return TRUE;
}

gboolean set_info(GstVideoFilter* element, GstCaps*, GstVideoInfo* in, GstCaps*, GstVideoInfo*) {
  Filter& filter = filter_of(element);
  if (!filter.state) return FALSE;
  const auto apply = [&] { filter.state->set_format(*in); };
  if (!filter.format_refused) {
    filter.format_refused = !guarded_stream(element, apply);
  } else {
    try {
      apply();
      filter.format_refused = false;
    } catch (const std::exception& error) {
      GST_DEBUG_OBJECT(element, "refused again: %s", error.what());
    }
  }
  return static_cast<gboolean>(!filter.format_refused);
}

// Decides about passthrough before the base class does: in passthrough it hands out buffers that are not writable.
void before_transform(GstBaseTransform* transform, GstBuffer* buffer) {
  Filter& filter = filter_of(transform);
  if (!filter.state || filter.failed) return;
  const FrameTimes times = frame_times(buffer, transform->segment);
  if (GST_CLOCK_TIME_IS_VALID(times.stream_time)) gst_object_sync_values(GST_OBJECT(transform), times.stream_time);
  const LiveSettings live = filter.live_settings();
  filter.failed = !guarded_stream(transform, [&] { filter.state->begin_frame(live); });
  gst_base_transform_set_passthrough(transform, static_cast<gboolean>(filter.state->passes_through()));
}

// Replaces the video filter's, which maps every frame for writing and so copies what others hold too.
GstFlowReturn transform_ip(GstBaseTransform* transform, GstBuffer* buffer) {
  Filter& filter = filter_of(transform);
  if (!filter.state) return GST_FLOW_FLUSHING;
  if (filter.failed) return GST_FLOW_ERROR;
  filter.format_refused = false;  // the stream went on with caps that are accepted
  const FrameTimes times = frame_times(buffer, transform->segment);
  auto outcome = State::Outcome::hand_on;
  filter.failed = !guarded_stream(transform, [&] { outcome = filter.state->process(buffer, times); });
  if (filter.failed) return GST_FLOW_ERROR;
  return outcome == State::Outcome::drop ? GST_BASE_TRANSFORM_FLOW_DROPPED : GST_FLOW_OK;
}

// Never called, as transform_ip is replaced; but without it the video filter clears transform_ip_on_passthrough.
GstFlowReturn transform_frame_ip(GstVideoFilter*, GstVideoFrame*) { return GST_FLOW_NOT_SUPPORTED; }

// Of the events that come without the stream lock, none reaches the state.
gboolean sink_event(GstBaseTransform* transform, GstEvent* event) {
  Filter& filter = filter_of(transform);
  const auto work = [&](auto member) {
    if (!filter.state || filter.failed) return;
    filter.failed = !guarded_stream(transform, [&] { (filter.state.get()->*member)(); });
  };
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_EOS:
      work(&State::end_of_stream);
      break;
    case GST_EVENT_FLUSH_START:
      filter.shared.interruption.interrupt();
      break;
    case GST_EVENT_FLUSH_STOP:
      filter.shared.interruption.reset();
      work(&State::flush);
      break;
    default:
      break;
  }
  return GST_BASE_TRANSFORM_CLASS(gst_padim_filter_parent_class)->sink_event(transform, event);
}

// Elements in front, decoders above all, leave out frames where they hear that frames are late.
bool wants_every_frame(Filter& filter) {
  if (filter.shared.requests.is_open(Request::finish_fit)) return true;
  return filter.live_settings().late_policy == LatePolicy::block;
}

// A QoS event as it reaches the elements in front: decoders would leave out what is late for its timestamp alone.
GstEvent* without_jumps(GstEvent* event, Lateness& lateness) {
  GstQOSType type = GST_QOS_TYPE_OVERFLOW;
  gdouble proportion = 1;
  GstClockTimeDiff late_by = 0;
  GstClockTime running_time = GST_CLOCK_TIME_NONE;
  gst_event_parse_qos(event, &type, &proportion, &late_by, &running_time);
  const GstClockTimeDiff own = lateness.report(running_time, late_by);
  if (own == late_by) return event;
  GstEvent* corrected = gst_event_new_qos(type, proportion, own, running_time);
  gst_event_set_seqnum(corrected, gst_event_get_seqnum(event));
  gst_event_unref(event);
  return corrected;
}

gboolean src_event(GstBaseTransform* transform, GstEvent* event) {
  Filter& filter = filter_of(transform);
  if (GST_EVENT_TYPE(event) == GST_EVENT_QOS) {
    event = without_jumps(event, filter.shared.lateness);
    if (wants_every_frame(filter)) {
      gst_event_unref(event);
      return TRUE;
    }
  }
  return GST_BASE_TRANSFORM_CLASS(gst_padim_filter_parent_class)->src_event(transform, event);
}

// A frame's processing time is latency like any other: sinks would call each frame late otherwise.
gboolean answer_query(GstBaseTransform* transform, GstPadDirection direction, GstQuery* query) {
  if (!GST_BASE_TRANSFORM_CLASS(gst_padim_filter_parent_class)->query(transform, direction, query)) return FALSE;
  if (direction != GST_PAD_SRC || GST_QUERY_TYPE(query) != GST_QUERY_LATENCY) return TRUE;
  const GstClockTime own = filter_of(transform).shared.processing_time.latency();
  gboolean live = FALSE;
  GstClockTime least = 0;
  GstClockTime most = 0;
  gst_query_parse_latency(query, &live, &least, &most);
  gst_query_set_latency(query, live, least + own, GST_CLOCK_TIME_IS_VALID(most) ? most + own : most);
  return TRUE;
}

// The base class waits for the streaming thread, which may be waiting itself.
GstStateChangeReturn change_state(GstElement* element, GstStateChange transition) {
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) filter_of(element).shared.interruption.interrupt();
  return GST_ELEMENT_CLASS(gst_padim_filter_parent_class)->change_state(element, transition);
}

gboolean request(GstPadimFilter* self, Request what) {
  return static_cast<gboolean>(self->filter->shared.requests.request(what));
}

gboolean finish_fit(GstPadimFilter* self) { return request(self, Request::finish_fit); }

gboolean reload_model(GstPadimFilter* self) { return request(self, Request::reload_model); }

gboolean reset(GstPadimFilter* self) { return request(self, Request::reset); }

gboolean learn(GstPadimFilter* self, guint frames) {
  return static_cast<gboolean>(frames > 0 && self->filter->shared.requests.request(Request::learn, frames));
}

gboolean save_model(GstPadimFilter* self, const char* path) {
  return guarded(GST_ELEMENT(self), GST_MESSAGE_WARNING, Activity::streaming, FALSE, [&] {
    if (path == nullptr || *path == '\0') {
      throw Error(ErrorCode::invalid_argument, "save-model has no path: pass the name of the file to write");
    }
    const auto model = self->filter->shared.published.model();
    if (!model) {
      throw Error(ErrorCode::invalid_argument, std::string("there is no model to save to '") + path +
                                                   "' yet: load one with mode=detect, or wait for the end of the fit");
    }
    const FixedSettings settings = self->filter->fixed_settings();
    check_model_path(path, settings, roles_of_neighbours(GST_ELEMENT(self)));
    save(*model, {path, settings.strip_model});
    return TRUE;
  });
}

constexpr auto kReadOnly =
    static_cast<GParamFlags>(static_cast<unsigned>(G_PARAM_READABLE) | static_cast<unsigned>(G_PARAM_STATIC_STRINGS));

void install_properties(GObjectClass* object_class) {
  guint id = 0;
  for (const Property& property : properties()) g_object_class_install_property(object_class, ++id, property.spec);
  g_object_class_install_property(
      object_class, last_score_id(),
      g_param_spec_double("last-score", "Last score", "Score of the latest frame (-1 = none scored yet)",
                          Published::kNoScore, 1, Published::kNoScore, kReadOnly));
  g_object_class_install_property(
      object_class, model_info_id(),
      g_param_spec_string("model-info", "Model info", "The model in use as a JSON object (NULL = none yet)", nullptr,
                          kReadOnly));
  g_object_class_install_property(
      object_class, stats_id(),
      g_param_spec_boxed("stats", "Statistics",
                         "What became of the frames since the start, and how long they took, as a GstStructure "
                         "padim-stats",
                         GST_TYPE_STRUCTURE, kReadOnly));
}

void install_signals(GObjectClass* object_class) {
  const GType type = G_OBJECT_CLASS_TYPE(object_class);
  const auto flags =
      static_cast<GSignalFlags>(static_cast<unsigned>(G_SIGNAL_RUN_LAST) | static_cast<unsigned>(G_SIGNAL_ACTION));
  const auto add = [&](Signal signal, const char* name, GCallback handler) {
    signals[signal] =
        g_signal_new_class_handler(name, type, flags, handler, nullptr, nullptr, nullptr, G_TYPE_BOOLEAN, 0);
  };
  add(kFinishFit, "finish-fit", G_CALLBACK(finish_fit));
  add(kReloadModel, "reload-model", G_CALLBACK(reload_model));
  add(kReset, "reset", G_CALLBACK(reset));
  signals[kSaveModel] = g_signal_new_class_handler("save-model", type, flags, G_CALLBACK(save_model), nullptr, nullptr,
                                                   nullptr, G_TYPE_BOOLEAN, 1, G_TYPE_STRING);
  signals[kLearn] = g_signal_new_class_handler("learn", type, flags, G_CALLBACK(learn), nullptr, nullptr, nullptr,
                                               G_TYPE_BOOLEAN, 1, G_TYPE_UINT);
}

void install_element(GstElementClass* element_class) {
  gst_element_class_set_static_metadata(
      element_class, "PaDiM anomaly filter", "Filter/Analyzer/Effect/Video",
      "Learns what normal video looks like and marks what deviates (PaDiM, arXiv 2011.08785)", "The padim authors");
  const Owned<GstCaps> caps(gst_caps_from_string(kVideoCaps));
  for (const auto& [name, direction] : {std::pair("sink", GST_PAD_SINK), std::pair("src", GST_PAD_SRC)}) {
    gst_element_class_add_pad_template(element_class,
                                       gst_pad_template_new(name, direction, GST_PAD_ALWAYS, caps.get()));
  }
}

}  // namespace

Settings settings_of(GstPadimFilter* element) { return element->filter->current_settings(); }

}  // namespace padim::gst

static void gst_padim_filter_class_init(GstPadimFilterClass* klass) {
  using namespace padim::gst;
  GObjectClass* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = set_property;
  object_class->get_property = get_property;
  object_class->finalize = finalize;
  install_properties(object_class);
  install_signals(object_class);
  install_element(GST_ELEMENT_CLASS(klass));
  GST_ELEMENT_CLASS(klass)->change_state = change_state;

  GstBaseTransformClass* transform_class = GST_BASE_TRANSFORM_CLASS(klass);
  transform_class->start = start;
  transform_class->stop = stop;
  transform_class->sink_event = sink_event;
  transform_class->src_event = src_event;
  transform_class->query = answer_query;
  transform_class->before_transform = before_transform;
  transform_class->transform_ip = transform_ip;
  transform_class->transform_ip_on_passthrough = TRUE;  // frames of mode off are counted
  GST_VIDEO_FILTER_CLASS(klass)->transform_frame_ip = transform_frame_ip;
  GST_VIDEO_FILTER_CLASS(klass)->set_info = set_info;
}

static void gst_padim_filter_init(GstPadimFilter* self) {
  self->filter = new padim::gst::Filter;
  gst_base_transform_set_in_place(GST_BASE_TRANSFORM(self), TRUE);
  // A late frame is still a frame to score, and one that a fit must not lose.
  gst_base_transform_set_qos_enabled(GST_BASE_TRANSFORM(self), FALSE);
}

gboolean gst_padim_filter_register(GstPlugin* plugin) {
  padim::gst::init_debug_categories();
  if (gst_padim_meta_get_info() == nullptr) return FALSE;
  return gst_element_register(plugin, "padimfilter", GST_RANK_NONE, GST_TYPE_PADIM_FILTER);
}
