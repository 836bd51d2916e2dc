#include "io/decoder.h"

#include <gst/app/gstappsink.h>

#include <algorithm>
#include <array>
#include <utility>

#include "gst-common/videoframe.h"
#include "padim/error.h"
#include "terminal/progress.h"

namespace padim::tool {
namespace {

constexpr char kNoAnswer[] = "; check the address, the port and the network";
constexpr guint kBuffers = 4;              // decoded ahead
constexpr double kAnswer_s = 5;            // until a camera of the network answers at all
constexpr double kLivePatience_s = 5;      // between two frames
constexpr double kFilePatience_s = 20;     // likewise
constexpr double kFirstFramePatience = 2;  // times as long, until a first picture of its own (a key frame) has come

std::string source_text(const std::string& name, SourceForm form) {
  constexpr char kDecode[] = "expose-all-streams=false caps=video/x-raw(ANY)";
  switch (form) {
    case SourceForm::device:
      return std::string("v4l2src name=source ! decodebin ") + kDecode;
    case SourceForm::address:
      return std::string("uridecodebin name=source ") + kDecode;
    case SourceForm::line:
      return name + " ! decodebin " + kDecode;
    case SourceForm::path:
      break;
  }
  return std::string("filesrc name=source ! decodebin ") + kDecode;
}

// videoconvert passes through whatever the appsink's caps allow.
std::string pipeline_text(const std::string& name, SourceForm form) {
  return source_text(name, form) +
         " ! videoconvert ! appsink name=sink sync=false max-buffers=" + std::to_string(kBuffers) + " caps=\"" +
         gst::kVideoCaps + "\"";
}

std::string what_fails(const std::string& name, SourceForm form) {
  return (form == SourceForm::path ? "cannot decode video '" : "cannot read source '") + shown_name(name) + "'";
}

GstPadProbeReturn count_buffer(GstPad*, GstPadProbeInfo*, gpointer count) {
  ++*static_cast<Decoder::Counter*>(count);
  return GST_PAD_PROBE_OK;
}

void count_buffers(GstElement* element, const char* name, Decoder::Counter* count) {
  const gst::Owned<GstPad> pad(gst_element_get_static_pad(element, name));
  if (pad) gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_BUFFER, count_buffer, count, nullptr);
}

// Lives as long as the pipeline, whose threads count.
Decoder::Counter* counter_in(GstElement* pipeline, const char* name) {
  auto* counter = new Decoder::Counter(0);
  g_object_set_data_full(G_OBJECT(pipeline), name, counter,
                         [](gpointer old) { delete static_cast<Decoder::Counter*>(old); });
  return counter;
}

// By TCP pictures of cameras arrive whole, also through firewalls and by radio.
void set_up_source(GstElement*, GstElement* source, gpointer count) {
  constexpr std::array<std::pair<const char*, const char*>, 3> kSettings = {
      {{"protocols", "tcp"}, {"latency", "200"}, {"retries", "1"}}};
  for (const auto& [property, value] : kSettings) {
    const bool there = g_object_class_find_property(G_OBJECT_GET_CLASS(source), property) != nullptr;
    if (there) gst_util_set_object_arg(G_OBJECT(source), property, value);
  }
  count_buffers(source, "src", static_cast<Decoder::Counter*>(count));
}

// A camera's stream of JPEGs has one part, whose decoder need not wait for others.
void set_up_part(GstBin*, GstBin*, GstElement* element, gpointer) {
  const bool there = g_object_class_find_property(G_OBJECT_GET_CLASS(element), "single-stream") != nullptr;
  if (there) g_object_set(element, "single-stream", TRUE, nullptr);
}

const char* property_of(SourceForm form) {
  return form == SourceForm::address ? "uri" : form == SourceForm::device ? "device" : "location";
}

// Asked of what is before the sink, which itself does not know before it plays.
bool is_live(GstElement* sink) {
  const gst::Owned<GstQuery> query(gst_query_new_latency());
  const gst::Owned<GstPad> pad(gst_element_get_static_pad(sink, "sink"));
  gboolean live = FALSE;
  if (gst_pad_peer_query(pad.get(), query.get()) != 0) gst_query_parse_latency(query.get(), &live, nullptr, nullptr);
  return live != FALSE;
}

}  // namespace

Decoder::Decoder(const std::string& name, SourceForm form, double patience_s)
    : name_(name),
      what_(what_fails(name, form)),
      form_(form),
      wanted_patience_s_(patience_s),
      pipeline_(pipeline_text(name, form), what_),
      received_(counter_in(pipeline_.get(), "received")),
      arrived_(counter_in(pipeline_.get(), "arrived")) {
  if (form != SourceForm::line) g_object_set(pipeline_.element("source"), property_of(form), name.c_str(), nullptr);
  if (form == SourceForm::address) {
    g_signal_connect(pipeline_.element("source"), "source-setup", G_CALLBACK(set_up_source), received_);
  }
  g_signal_connect(pipeline_.get(), "deep-element-added", G_CALLBACK(set_up_part), nullptr);
  count_buffers(pipeline_.element("sink"), "sink", arrived_);
  pipeline_.set_state(GST_STATE_PLAYING);
}

// Elements may name what they read, with its password.
void Decoder::check() const {
  try {
    pipeline_.check();
  } catch (const Error& error) {
    const std::string text = with_shown_name(error.what(), name_);
    throw Error(error.code(), answered() ? text : text + kNoAnswer);
  }
}

gst::Owned<GstSample> Decoder::pull(const std::function<bool()>& stop) {
  constexpr GstClockTime kStep = 50 * GST_MSECOND;
  GstAppSink* sink = GST_APP_SINK(pipeline_.element("sink"));
  // Steps are counted instead of a clock: a process that was stopped has not waited.
  for (double waited_s = 0; !stop(); waited_s += static_cast<double>(kStep) / GST_SECOND) {
    if (GstSample* sample = gst_app_sink_try_pull_sample(sink, kStep)) {
      if (pulled_++ == 0) get_to_know();
      return gst::Owned<GstSample>(sample);
    }
    check();
    if (gst_app_sink_is_eos(sink) != 0) return nullptr;
    if (waited_s >= patience_s()) give_up(waited_s);
  }
  check();
  return nullptr;
}

void Decoder::get_to_know() {
  gint64 duration = 0;
  if (gst_element_query_duration(pipeline_.get(), GST_FORMAT_TIME, &duration) != 0) duration_ns_ = duration;
  live_ = form_ != SourceForm::path && (is_live(pipeline_.element("sink")) || is_endless());
  if (live_) g_object_set(pipeline_.element("sink"), "drop", TRUE, nullptr);
}

// What a camera of the network sends has neither a length in time nor one in bytes.
bool Decoder::is_endless() const {
  if (form_ != SourceForm::address || duration_ns_ > 0) return false;
  GstElement* source = nullptr;
  g_object_get(pipeline_.element("source"), "source", &source, nullptr);
  const gst::Owned<GstElement> owned(source);
  gint64 bytes = 0;
  return source == nullptr || gst_element_query_duration(source, GST_FORMAT_BYTES, &bytes) == 0 || bytes <= 0;
}

std::int64_t Decoder::passed_over() const {
  return live_ ? std::max<std::int64_t>(*arrived_ - pulled_ - std::int64_t{kBuffers}, 0) : 0;
}

bool Decoder::answered() const { return form_ != SourceForm::address || *received_ > 0 || pipeline_.answered(); }

double Decoder::patience_s() const {
  if (!answered()) return kAnswer_s;
  const double usual = form_ == SourceForm::path ? kFilePatience_s : kLivePatience_s;
  const double patience = wanted_patience_s_ > 0 ? wanted_patience_s_ : usual;
  return pulled_ == 0 && form_ != SourceForm::path ? kFirstFramePatience * patience : patience;
}

void Decoder::give_up(double waited_s) const {
  const std::string time = three_digits(waited_s) + " s";
  if (!answered()) {
    throw Error(ErrorCode::cannot_read, what_ + ": nothing answers within " + time + kNoAnswer);
  }
  throw Error(ErrorCode::cannot_read, what_ + ": it gave no frame for " + time + " after " + std::to_string(pulled_) +
                                          (pulled_ == 1 ? " frame" : " frames") +
                                          "; --timeout waits longer for a source that is slow");
}

}  // namespace padim::tool
