#include "io/gst_pipeline.h"

#include <chrono>
#include <future>
#include <memory>
#include <system_error>
#include <thread>
#include <utility>

#include "padim/error.h"

namespace padim::tool {
namespace {

constexpr char kPackages[] =
    "apt-get install gstreamer1.0-libav gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly";

ErrorCode code_of(const GError& error) {
  if (g_error_matches(&error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND)) return ErrorCode::not_found;
  if (g_error_matches(&error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ)) return ErrorCode::cannot_read;
  if (g_error_matches(&error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_WRITE) ||
      g_error_matches(&error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_WRITE) ||
      g_error_matches(&error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT)) {
    return ErrorCode::cannot_write;
  }
  return error.domain == GST_STREAM_ERROR ? ErrorCode::bad_format : ErrorCode::internal;
}

bool is_about_decoders(const GError& error) {
  return g_error_matches(&error, GST_STREAM_ERROR, GST_STREAM_ERROR_CODEC_NOT_FOUND) ||
         g_error_matches(&error, GST_CORE_ERROR, GST_CORE_ERROR_MISSING_PLUGIN);
}

// The first line of a message's detail is where the error was raised; what follows says why.
std::string last_line(const gchar* detail) {
  const std::string text = detail != nullptr ? detail : "";
  const auto end_of_line = text.rfind('\n');
  return end_of_line != std::string::npos ? text.substr(end_of_line + 1) : "";
}

bool is_done(GstMessage* message) {
  if (GST_MESSAGE_TYPE(message) != GST_MESSAGE_PROGRESS) return false;
  GstProgressType type = GST_PROGRESS_TYPE_ERROR;
  gst_message_parse_progress(message, &type, nullptr, nullptr);
  return type == GST_PROGRESS_TYPE_COMPLETE;
}

std::string cause_of(const gst::Owned<GError>& error) { return error ? error->message : "no cause given"; }

}  // namespace

void start_gstreamer() {
  static const bool kStarted = [] {
    GError* error = nullptr;
    if (gst_init_check(nullptr, nullptr, &error)) return true;
    throw Error(ErrorCode::internal, "cannot start GStreamer: " + cause_of(gst::Owned<GError>(error)));
  }();
  (void)kStarted;
}

bool has_element(const std::string& name) {
  start_gstreamer();
  return gst::Owned<GstElementFactory>(gst_element_factory_find(name.c_str())) != nullptr;
}

Pipeline::Pipeline(const std::string& description, std::string what) : what_(std::move(what)) {
  start_gstreamer();
  GError* error = nullptr;
  pipeline_.reset(gst_parse_launch_full(description.c_str(), nullptr, GST_PARSE_FLAG_FATAL_ERRORS, &error));
  if (!pipeline_) {
    throw Error(ErrorCode::unsupported, what_ + ": " + cause_of(gst::Owned<GError>(error)) + "; " + kPackages);
  }
  bus_.reset(gst_element_get_bus(pipeline_.get()));
}

Pipeline::~Pipeline() {
  constexpr auto kPatience = std::chrono::seconds(3);
  const auto stopped = std::make_shared<std::promise<void>>();
  const auto stop = [pipeline = pipeline_.release(), stopped] {
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(pipeline);
    stopped->set_value();
  };
  try {
    std::thread(stop).detach();
  } catch (const std::system_error&) {  // the system has no further thread
    stop();
  }
  // An element that hangs is left behind: it must not take the tool with it.
  stopped->get_future().wait_for(kPatience);
}

GstElement* Pipeline::element(const char* name) const {
  GstElement* element = gst_bin_get_by_name(GST_BIN(pipeline_.get()), name);
  gst_object_unref(element);  // the pipeline holds it for as long as it lives
  return element;
}

void Pipeline::set_state(GstState state) {
  if (gst_element_set_state(pipeline_.get(), state) != GST_STATE_CHANGE_FAILURE) return;
  check();
  throw Error(ErrorCode::internal, what_ + ": the pipeline does not start");
}

void Pipeline::check() const {
  constexpr auto kTypes = static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_ELEMENT | GST_MESSAGE_PROGRESS);
  while (GstMessage* message = gst_bus_pop_filtered(bus_.get(), kTypes)) {
    const gst::Owned<GstMessage> owned(message);
    handle(message);
  }
}

void Pipeline::wait_for_end() const {
  constexpr auto kTypes = static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_ELEMENT | GST_MESSAGE_EOS);
  while (GstMessage* message = gst_bus_timed_pop_filtered(bus_.get(), GST_CLOCK_TIME_NONE, kTypes)) {
    const gst::Owned<GstMessage> owned(message);
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_EOS) return;
    handle(message);
  }
}

void Pipeline::handle(GstMessage* message) const {
  if (gst_message_has_name(message, "missing-plugin")) {
    const char* name = gst_structure_get_string(gst_message_get_structure(message), "name");
    missing_ = name != nullptr ? name : "a decoder";
  }
  answered_ = answered_ || is_done(message);
  if (GST_MESSAGE_TYPE(message) != GST_MESSAGE_ERROR) return;
  GError* parsed = nullptr;
  gchar* detail = nullptr;
  gst_message_parse_error(message, &parsed, &detail);
  const gst::Owned<GError> error(parsed);
  const std::string place = last_line(gst::Owned<gchar>(detail).get());
  std::string cause = error->message;
  if (is_about_decoders(*error)) {
    cause = "it holds no video";  // a decoder that is missing has been named before
  } else if (!place.empty()) {
    cause += " (" + place + ")";
  }
  if (!missing_.empty()) {
    throw Error(ErrorCode::unsupported, what_ + ": GStreamer lacks a " + missing_ + "; " + kPackages);
  }
  throw Error(code_of(*error), what_ + ": " + cause);
}

}  // namespace padim::tool
