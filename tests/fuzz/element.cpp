// The element between hostile neighbours: any caps, buffers of any size with planes anywhere, properties of any text,
// in any order. It answers with errors, and never reads what is not its own.

#include <fuzzer/FuzzedDataProvider.h>
#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>

#include "backbonefactory.h"
#include "gstpadimfilter.h"
#include "support/fake_backbone.h"

// GStreamer keeps its types, caps and pools for good.
extern "C" const char* __asan_default_options() { return "detect_leaks=0"; }  // NOLINT: the sanitizer's name

namespace {

// Names of files, of networks, and what starts threads by the hundred, are not the input's to say.
constexpr std::string_view kLeftAlone[] = {"backbone",   "backbone-file", "json-location", "mask-file",
                                           "model-file", "name",          "parent",        "threads"};
constexpr const char* kFormats[] = {"NV12", "I420", "YUY2", "UYVY",  "BGR",  "BGRx",
                                    "BGRA", "RGB",  "RGBx", "GRAY8", "RGBA", "P010_10LE"};

void set_property(GstElement* element, FuzzedDataProvider& input) {
  guint count = 0;
  GParamSpec** all = g_object_class_list_properties(G_OBJECT_GET_CLASS(element), &count);
  const GParamSpec* property = all[input.ConsumeIntegralInRange(0U, count - 1)];
  const bool writable = (property->flags & G_PARAM_WRITABLE) != 0;
  if (writable && std::ranges::find(kLeftAlone, property->name) == std::end(kLeftAlone)) {
    gst_util_set_object_arg(G_OBJECT(element), property->name, input.ConsumeRandomLengthString(24).c_str());
  }
  g_free(all);
}

std::string size_from(FuzzedDataProvider& input) { return std::to_string(input.ConsumeIntegralInRange(-1, 300)); }

void set_caps(GstHarness* harness, FuzzedDataProvider& input) {
  const std::string text = std::string("video/x-raw,format=") + input.PickValueInArray(kFormats) +
                           ",width=" + size_from(input) + ",height=" + size_from(input) + ",framerate=30/1" +
                           input.ConsumeRandomLengthString(40);
  GstCaps* caps = gst_caps_from_string(text.c_str());
  if (caps == nullptr) return;
  if (gst_caps_is_fixed(caps)) gst_harness_push_event(harness, gst_event_new_caps(caps));
  gst_caps_unref(caps);
}

// What a stream begins with. gst_harness_set_src_caps() would not take a no.
void begin_stream(GstHarness* harness) {
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_harness_push_event(harness, gst_event_new_stream_start("fuzz"));
  gst_harness_push_event(harness, gst_event_new_segment(&segment));
}

// Planes where the input says, inside the buffer or not.
void add_layout(GstBuffer* buffer, FuzzedDataProvider& input) {
  gsize offsets[GST_VIDEO_MAX_PLANES] = {};
  gint strides[GST_VIDEO_MAX_PLANES] = {};
  const auto planes = input.ConsumeIntegralInRange<guint>(1, GST_VIDEO_MAX_PLANES);
  for (guint i = 0; i < planes; ++i) {
    offsets[i] = input.ConsumeIntegral<std::uint16_t>();
    strides[i] = input.ConsumeIntegral<std::int16_t>();
  }
  gst_buffer_add_video_meta_full(
      buffer, GST_VIDEO_FRAME_FLAG_NONE, gst_video_format_from_string(input.PickValueInArray(kFormats)),
      input.ConsumeIntegralInRange(0U, 300U), input.ConsumeIntegralInRange(0U, 300U), planes, offsets, strides);
}

void push_buffer(GstHarness* harness, FuzzedDataProvider& input) {
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, input.ConsumeIntegralInRange(0U, 1U << 18), nullptr);
  gst_buffer_memset(buffer, 0, input.ConsumeIntegral<std::uint8_t>(), gst_buffer_get_size(buffer));
  GST_BUFFER_PTS(buffer) = input.ConsumeBool() ? GST_CLOCK_TIME_NONE : input.ConsumeIntegral<std::uint64_t>();
  if (input.ConsumeBool()) add_layout(buffer, input);
  gst_harness_push(harness, buffer);
  while (GstBuffer* out = gst_harness_try_pull(harness)) gst_buffer_unref(out);
}

void step(GstHarness* harness, GstElement* element, FuzzedDataProvider& input) {
  switch (input.ConsumeIntegralInRange(0, 9)) {
    case 0:
    case 1:
      return set_property(element, input);
    case 2:
      return set_caps(harness, input);
    case 3:
      gst_harness_push_event(harness, gst_event_new_flush_start());
      gst_harness_push_event(harness, gst_event_new_flush_stop(TRUE));
      return;
    case 4:
      gst_harness_push_event(harness, gst_event_new_gap(input.ConsumeIntegral<std::uint32_t>(), GST_SECOND));
      return;
    case 5:
      gst_harness_push_event(harness, gst_event_new_eos());
      return;
    default:
      return push_buffer(harness, input);
  }
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  gst_init(argc, argv);
  gst_debug_set_default_threshold(GST_LEVEL_NONE);
  g_log_set_always_fatal(G_LOG_LEVEL_CRITICAL);
  padim::gst::set_backbone_factory(
      [](const padim::BackboneOptions& options) { return std::make_shared<padim::test::FakeBackbone>(options.name); });
  return gst_padim_filter_register(nullptr) ? 0 : 1;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input(data, size);
  GstElement* element = gst_element_factory_make("padimfilter", nullptr);
  gst_util_set_object_arg(G_OBJECT(element), "mode", "fit-then-detect");
  g_object_set(element, "fit-frames", static_cast<guint64>(2), "input-size", "32x32", "fit-augment", 0, nullptr);
  for (int i = input.ConsumeIntegralInRange(0, 6); i > 0; --i) set_property(element, input);
  GstHarness* harness = gst_harness_new_with_element(element, "sink", "src");
  gst_harness_play(harness);
  begin_stream(harness);
  set_caps(harness, input);
  for (int i = 0; i < 40 && input.remaining_bytes() > 0; ++i) step(harness, element, input);
  gst_harness_teardown(harness);
  gst_object_unref(element);
  return 0;
}
