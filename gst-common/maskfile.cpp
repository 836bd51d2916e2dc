#include "gst-common/maskfile.h"

#include <gst/video/video.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "padim/error.h"

namespace padim::gst {
namespace {

constexpr GstClockTime kPatience = 10 * GST_SECOND;

struct Unref {
  void operator()(GstElement* element) const {
    gst_element_set_state(element, GST_STATE_NULL);
    gst_object_unref(element);
  }
  void operator()(GstMessage* message) const { gst_message_unref(message); }
  void operator()(GstSample* sample) const { gst_sample_unref(sample); }
};
template <class T>
using Owned = std::unique_ptr<T, Unref>;

[[noreturn]] void fail(const std::string& file, const std::string& cause) {
  throw Error(ErrorCode::cannot_read, "cannot read mask '" + file + "': " + cause +
                                          "; give a picture of a whole frame, for example a PNG, whose dark places "
                                          "are ignored");
}

std::string cause_of(GstMessage* message) {
  if (message == nullptr) return "it took too long";
  GError* error = nullptr;
  gst_message_parse_error(message, &error, nullptr);
  std::string cause = error->message;
  g_error_free(error);
  return cause;
}

GstElement* new_pipeline(const std::string& file) {
  GError* error = nullptr;
  GstElement* pipeline = gst_parse_launch(
      "filesrc name=source ! decodebin ! videoconvert ! video/x-raw,format=GRAY8 ! fakesink name=sink sync=false",
      &error);
  if (error != nullptr) {
    const std::string cause = error->message;
    g_error_free(error);
    gst_clear_object(&pipeline);
    fail(file, cause);
  }
  gst_object_ref_sink(pipeline);
  GstElement* source = gst_bin_get_by_name(GST_BIN(pipeline), "source");
  g_object_set(source, "location", file.c_str(), nullptr);
  gst_object_unref(source);
  return pipeline;
}

/// The first picture of the file.
Owned<GstSample> decode(const std::string& file) {
  const Owned<GstElement> pipeline(new_pipeline(file));
  gst_element_set_state(pipeline.get(), GST_STATE_PAUSED);
  GstBus* bus = gst_element_get_bus(pipeline.get());
  const auto ends = static_cast<GstMessageType>(GST_MESSAGE_ASYNC_DONE | GST_MESSAGE_ERROR);
  const Owned<GstMessage> end(gst_bus_timed_pop_filtered(bus, kPatience, ends));
  gst_object_unref(bus);
  if (!end || GST_MESSAGE_TYPE(end.get()) == GST_MESSAGE_ERROR) fail(file, cause_of(end.get()));
  GstElement* sink = gst_bin_get_by_name(GST_BIN(pipeline.get()), "sink");
  GstSample* sample = nullptr;
  g_object_get(sink, "last-sample", &sample, nullptr);
  gst_object_unref(sink);
  if (sample == nullptr) fail(file, "there is no picture in it");
  return Owned<GstSample>(sample);
}

}  // namespace

Mask read_mask(const std::string& file) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) {
    throw Error(ErrorCode::not_found, "mask '" + file + "' does not exist");
  }
  const Owned<GstSample> sample = decode(file);
  GstVideoInfo info;
  GstVideoFrame frame;
  if (!gst_video_info_from_caps(&info, gst_sample_get_caps(sample.get())) ||
      !gst_video_frame_map(&frame, &info, gst_sample_get_buffer(sample.get()), GST_MAP_READ)) {
    fail(file, "there is no picture in it");
  }
  Mask mask{info.width, info.height};
  for (int y = 0; y < info.height; ++y) {
    const auto* row = static_cast<const std::uint8_t*>(frame.data[0]) + std::ptrdiff_t{y} * frame.info.stride[0];
    mask.values.insert(mask.values.end(), row, row + info.width);
  }
  gst_video_frame_unmap(&frame);
  return mask;
}

}  // namespace padim::gst
