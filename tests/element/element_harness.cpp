#include "element_harness.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <random>
#include <thread>

namespace padim::test {
namespace {

constexpr std::uint8_t kFiller = 0xA5;

struct Layout {
  std::size_t size = 0;
  gint stride[GST_VIDEO_MAX_PLANES] = {};
  gsize offset[GST_VIDEO_MAX_PLANES] = {};
  int row_bytes[GST_VIDEO_MAX_PLANES] = {};
  int rows[GST_VIDEO_MAX_PLANES] = {};
  int planes = 1;
};

Layout layout_of(const Scene& scene) {
  const GstVideoInfo info = scene.info();
  const int half_width = (scene.width + 1) / 2;
  const int half_height = (scene.height + 1) / 2;
  Layout layout;
  layout.planes = static_cast<int>(GST_VIDEO_INFO_N_PLANES(&info));
  for (int p = 0; p < layout.planes; ++p) {
    layout.rows[p] = p == 0 ? scene.height : half_height;
    layout.row_bytes[p] =
        p == 0 ? scene.width * GST_VIDEO_INFO_COMP_PSTRIDE(&info, 0) : half_width * (4 - layout.planes);
    if (scene.format == "YUY2" || scene.format == "UYVY") layout.row_bytes[p] = half_width * 4;
    layout.stride[p] = info.stride[p] + scene.padding;
    layout.offset[p] = layout.size;
    layout.size += static_cast<std::size_t>(layout.stride[p]) * static_cast<std::size_t>(layout.rows[p]) +
                   static_cast<std::size_t>(scene.padding);
  }
  if (scene.padding == 0) {  // the format's own layout, as elements without the video meta expect it
    layout.size = info.size;
    for (int p = 0; p < layout.planes; ++p) layout.offset[p] = info.offset[p];
  }
  return layout;
}

bool inside(const GstVideoRectangle& box, int x, int y) {
  return x >= box.x && x < box.x + box.w && y >= box.y && y < box.y + box.h;
}

std::vector<std::uint8_t> paint(const Scene& scene, int index, Content content) {
  std::mt19937 random(static_cast<unsigned>(index) + 1);
  const GstVideoRectangle object = object_of(scene);
  std::vector<std::uint8_t> rgb;
  rgb.reserve(static_cast<std::size_t>(scene.width * scene.height) * 3);
  for (int y = 0; y < scene.height; ++y) {
    for (int x = 0; x < scene.width; ++x) {
      const int noise = static_cast<int>(random() % static_cast<unsigned>(2 * scene.noise + 1)) - scene.noise;
      const int texture = (x / 12 + y / 12) % 2 * 20;
      const bool foreign = content == Content::anomalous && inside(object, x, y);
      rgb.push_back(static_cast<std::uint8_t>(foreign ? 230 + noise : 60 + texture + x * 60 / scene.width + noise));
      rgb.push_back(static_cast<std::uint8_t>(foreign ? (x % 4 < 2 ? 20 : 220) : 70 + texture + noise));
      rgb.push_back(static_cast<std::uint8_t>(foreign ? 30 + noise / 2 : 80 + texture + y * 40 / scene.height + noise));
    }
  }
  return rgb;
}

void convert(const Scene& scene, std::vector<std::uint8_t> rgb, GstBuffer* target) {
  GstVideoInfo from_info;
  gst_video_info_set_format(&from_info, GST_VIDEO_FORMAT_RGB, static_cast<guint>(scene.width),
                            static_cast<guint>(scene.height));
  const GstVideoInfo to_info = scene.info();
  from_info.fps_n = to_info.fps_n;  // a converter is particular about it
  from_info.fps_d = to_info.fps_d;
  GstBuffer* source = gst_buffer_new_allocate(nullptr, from_info.size, nullptr);
  GstVideoFrame from;
  GstVideoFrame to;
  ASSERT_TRUE(gst_video_frame_map(&from, &from_info, source, GST_MAP_WRITE));
  ASSERT_TRUE(gst_video_frame_map(&to, &to_info, target, GST_MAP_WRITE));
  for (int y = 0; y < scene.height; ++y) {
    std::copy_n(rgb.data() + static_cast<std::ptrdiff_t>(y) * scene.width * 3, scene.width * 3,
                static_cast<std::uint8_t*>(from.data[0]) + static_cast<std::ptrdiff_t>(y) * from.info.stride[0]);
  }
  GstVideoConverter* converter = gst_video_converter_new(&from_info, &to_info, nullptr);
  gst_video_converter_frame(converter, &from, &to);
  gst_video_converter_free(converter);
  gst_video_frame_unmap(&from);
  gst_video_frame_unmap(&to);
  gst_buffer_unref(source);
}

}  // namespace

GstVideoInfo Scene::info() const {
  const Owned<GstCaps> caps(gst_caps_from_string(("video/x-raw,format=" + format + ",width=" + std::to_string(width) +
                                                  ",height=" + std::to_string(height) + ",framerate=" + framerate)
                                                     .c_str()));
  GstVideoInfo info;
  EXPECT_TRUE(gst_video_info_from_caps(&info, caps.get()));
  return info;
}

GstVideoRectangle object_of(const Scene& scene) {
  return {scene.width * 5 / 8, scene.height / 2, scene.width / 6, scene.height / 5};
}

// The converter leaves some bytes of a row unwritten (the second luma of an odd row's last pair) and may write filler,
// as it works in wide steps: the filler is laid down before and after.
Owned<GstBuffer> render(const Scene& scene, int index, Content content) {
  Layout layout = layout_of(scene);
  Owned<GstBuffer> buffer(gst_buffer_new_allocate(nullptr, layout.size, nullptr));
  gst_buffer_add_video_meta_full(buffer.get(), GST_VIDEO_FRAME_FLAG_NONE,
                                 gst_video_format_from_string(scene.format.c_str()), static_cast<guint>(scene.width),
                                 static_cast<guint>(scene.height), static_cast<guint>(layout.planes), layout.offset,
                                 layout.stride);
  gst_buffer_memset(buffer.get(), 0, kFiller, layout.size);
  convert(scene, paint(scene, index, content), buffer.get());

  const std::vector<bool> is_pixel = pixel_bytes(scene);
  GstMapInfo map;
  EXPECT_TRUE(gst_buffer_map(buffer.get(), &map, GST_MAP_READWRITE));
  for (std::size_t i = 0; i < map.size; ++i) {
    if (!is_pixel[i]) map.data[i] = kFiller;
  }
  gst_buffer_unmap(buffer.get(), &map);

  GST_BUFFER_PTS(buffer.get()) = gst_util_uint64_scale(static_cast<guint64>(index), GST_SECOND, 30);
  GST_BUFFER_DTS(buffer.get()) = GST_BUFFER_PTS(buffer.get());
  GST_BUFFER_DURATION(buffer.get()) = GST_SECOND / 30;
  return buffer;
}

std::vector<std::uint8_t> bytes_of(GstBuffer* buffer) {
  std::vector<std::uint8_t> bytes(gst_buffer_get_size(buffer));
  gst_buffer_extract(buffer, 0, bytes.data(), bytes.size());
  return bytes;
}

std::vector<bool> pixel_bytes(const Scene& scene) {
  const Layout layout = layout_of(scene);
  std::vector<bool> pixels(layout.size, false);
  for (int p = 0; p < layout.planes; ++p) {
    for (int y = 0; y < layout.rows[p]; ++y) {
      const auto row = layout.offset[p] + static_cast<std::size_t>(y) * static_cast<std::size_t>(layout.stride[p]);
      std::fill_n(pixels.begin() + static_cast<std::ptrdiff_t>(row), layout.row_bytes[p], true);
    }
  }
  return pixels;
}

std::optional<double> double_field(const GstStructure* structure, const char* name) {
  gdouble value = 0;
  return gst_structure_get_double(structure, name, &value) ? std::optional(value) : std::nullopt;
}

std::optional<std::uint64_t> uint64_field(const GstStructure* structure, const char* name) {
  guint64 value = 0;
  return gst_structure_get_uint64(structure, name, &value) ? std::optional<std::uint64_t>(value) : std::nullopt;
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "padim-element-XXXXXX").string();
  EXPECT_NE(mkdtemp(name.data()), nullptr);
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Owned<GstElement> make_element(const std::string& properties) {
  GError* error = nullptr;
  GstElement* element = gst_parse_launch(("padimfilter name=inspector " + properties).c_str(), &error);
  EXPECT_EQ(error, nullptr) << error->message;
  gst_object_ref_sink(element);
  const Owned<GstBus> bus(gst_bus_new());
  gst_element_set_bus(element, bus.get());
  return Owned<GstElement>(element);
}

ElementHarness::ElementHarness(const std::string& properties, const Scene& scene)
    : element_(make_element(properties)), bus_(gst_element_get_bus(element_.get())) {
  harness_.reset(gst_harness_new_with_element(element_.get(), "sink", "src"));
  set_scene(scene);
}

// Not gst_harness_set_src_caps(): it aborts where the caps are refused.
void ElementHarness::set_scene(const Scene& scene) {
  scene_ = scene;
  const GstVideoInfo info = scene.info();
  const Owned<GstCaps> caps(gst_video_info_to_caps(&info));
  gst_pad_push_event(harness_->srcpad, gst_event_new_caps(caps.get()));
  if (!has_segment_) {
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    has_segment_ = gst_pad_push_event(harness_->srcpad, gst_event_new_segment(&segment));
  }
}

GstFlowReturn ElementHarness::push(Owned<GstBuffer> buffer) {
  return gst_harness_push(harness_.get(), buffer.release());
}

void ElementHarness::push_normal(int first, int count) {
  for (int i = first; i < first + count; ++i) ASSERT_EQ(push(i), GST_FLOW_OK) << "frame " << i;
}

Owned<GstBuffer> ElementHarness::run(Owned<GstBuffer> buffer) {
  drain();
  if (push(std::move(buffer)) != GST_FLOW_OK) return nullptr;
  return Owned<GstBuffer>(gst_harness_try_pull(harness_.get()));
}

void ElementHarness::drain() {
  while (const Owned<GstBuffer> buffer{gst_harness_try_pull(harness_.get())}) {
  }
}

void ElementHarness::flush() {
  EXPECT_TRUE(gst_harness_push_event(harness_.get(), gst_event_new_flush_start()));
  EXPECT_TRUE(gst_harness_push_event(harness_.get(), gst_event_new_flush_stop(TRUE)));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  EXPECT_TRUE(gst_harness_push_event(harness_.get(), gst_event_new_segment(&segment)));
}

std::vector<Owned<GstMessage>> ElementHarness::messages(GstMessageType type, const std::string& name) {
  std::vector<Owned<GstMessage>> found;
  while (GstMessage* message = gst_bus_pop(bus_.get())) {
    Owned<GstMessage> owned(message);
    if (GST_MESSAGE_TYPE(message) != type) continue;
    if (name.empty() || gst_message_has_name(message, name.c_str())) found.push_back(std::move(owned));
  }
  return found;
}

Owned<GstMessage> ElementHarness::wait_for(const std::string& name) {
  const gint64 end_us = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
  while (g_get_monotonic_time() < end_us) {
    Owned<GstMessage> message(gst_bus_timed_pop_filtered(bus_.get(), 100 * GST_MSECOND, GST_MESSAGE_ELEMENT));
    if (message && gst_message_has_name(message.get(), name.c_str())) return message;
  }
  ADD_FAILURE() << "no message " << name;
  return nullptr;
}

std::vector<Failure> ElementHarness::failures(GstMessageType type) { return failures_on(bus_.get(), type); }

void ElementHarness::set(const std::string& property, const std::string& value) {
  gst_util_set_object_arg(G_OBJECT(element_.get()), property.c_str(), value.c_str());
}

std::vector<Failure> failures_on(GstBus* bus, GstMessageType type) {
  std::vector<Failure> found;
  while (GstMessage* popped = gst_bus_pop(bus)) {
    const Owned<GstMessage> message(popped);
    if (GST_MESSAGE_TYPE(popped) != type) continue;
    GError* error = nullptr;
    gchar* debug = nullptr;
    if (type == GST_MESSAGE_ERROR) gst_message_parse_error(popped, &error, &debug);
    if (type == GST_MESSAGE_WARNING) gst_message_parse_warning(popped, &error, &debug);
    if (type == GST_MESSAGE_INFO) gst_message_parse_info(popped, &error, &debug);
    found.push_back({error->domain, error->code, error->message, debug == nullptr ? "" : debug});
    g_error_free(error);
    g_free(debug);
  }
  return found;
}

bool step_until(const std::function<bool(int)>& step) {
  const gint64 end_us = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
  for (int i = 0; g_get_monotonic_time() < end_us; ++i) {
    if (step(i)) return true;
    std::this_thread::yield();
  }
  return false;
}

std::vector<std::string> states_in(const std::string& json_file) {
  std::vector<std::string> found;
  std::ifstream lines(json_file);
  for (std::string line; std::getline(lines, line);) {
    const auto begin = line.find("\"state\":\"") + 9;
    found.push_back(line.substr(begin, line.find('"', begin) - begin));
  }
  return found;
}

void report_lateness(ElementHarness& harness, GstClockTime running_time, GstClockTimeDiff late_by) {
  gst_harness_push_upstream_event(harness.harness(),
                                  gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 1.5, late_by, running_time));
}

guint count_regions(GstBuffer* buffer) {
  return gst_buffer_get_n_meta(buffer, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE);
}

gboolean emit(GstElement* element, const char* signal) {
  gboolean accepted = FALSE;
  g_signal_emit_by_name(element, signal, &accepted);
  return accepted;
}

void fit_model(const std::string& file, const Scene& scene, int frames) {
  ElementHarness harness("mode=fit model-file=" + file, scene);
  harness.push_normal(0, frames);
  EXPECT_TRUE(harness.send_eos());
  for (const Failure& failure : harness.failures()) ADD_FAILURE() << failure.text;
  ASSERT_TRUE(std::filesystem::exists(file));
}

const std::string& fitted_model() {
  static const TemporaryFolder folder;
  static const std::string file = [] {
    fit_model(folder.file("normal.padim"));
    return folder.file("normal.padim");
  }();
  return file;
}

}  // namespace padim::test
