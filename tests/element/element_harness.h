#pragma once

#include <gst/check/gstharness.h>
#include <gst/video/video.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace padim::test {

struct Deleter {
  void operator()(GstMessage* message) const { gst_message_unref(message); }
  void operator()(GstBuffer* buffer) const { gst_buffer_unref(buffer); }
  void operator()(GstCaps* caps) const { gst_caps_unref(caps); }
  // Messages on the bus hold the element that holds the bus; the flush drops them.
  void operator()(GstElement* element) const {
    GstBus* bus = gst_element_get_bus(element);
    if (bus != nullptr && GST_OBJECT_PARENT(element) == nullptr) gst_bus_set_flushing(bus, TRUE);
    gst_clear_object(&bus);
    gst_object_unref(element);
  }
  void operator()(GstBus* bus) const { gst_object_unref(bus); }
  void operator()(GstHarness* harness) const { gst_harness_teardown(harness); }
};
template <class T>
using Owned = std::unique_ptr<T, Deleter>;

/// A scene to render: a textured background with noise, and a foreign object or not.
struct Scene {
  int width = 384;
  int height = 288;
  std::string format = "BGR";
  std::string framerate = "30/1";
  int padding = 0;  ///< filler bytes after each row, and between planes
  int noise = 6;    ///< largest deviation of a channel from one frame to the next

  [[nodiscard]] GstVideoInfo info() const;
};

/// The foreign object of the anomalous frames.
GstVideoRectangle object_of(const Scene& scene);

/// Frame `index` of a scene: equal arguments give equal pixels. Its PTS is index / 30 s.
enum class Content { normal, anomalous };
Owned<GstBuffer> render(const Scene& scene, int index, Content content = Content::normal);

/// Every byte of the buffer, filler included.
std::vector<std::uint8_t> bytes_of(GstBuffer* buffer);

/// For each byte of a buffer of render(): whether it is a pixel's (not filler).
std::vector<bool> pixel_bytes(const Scene& scene);

/// A structure's field, or nothing.
std::optional<double> double_field(const GstStructure* structure, const char* name);
std::optional<std::uint64_t> uint64_field(const GstStructure* structure, const char* name);

/// A folder that vanishes with its files.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  [[nodiscard]] std::filesystem::path path() const { return path_; }
  [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

/// padimfilter with the given properties (gst-launch syntax), with a bus of its own, in state NULL.
Owned<GstElement> make_element(const std::string& properties);

struct Failure {
  GQuark domain;
  int code;
  std::string text;
  std::string debug;
};

/// padimfilter in a harness, playing. Frames go in by push() and come out of it.
class ElementHarness {
 public:
  explicit ElementHarness(const std::string& properties, const Scene& scene = {});

  [[nodiscard]] GstHarness* harness() const { return harness_.get(); }
  [[nodiscard]] GstElement* element() const { return element_.get(); }
  [[nodiscard]] const Scene& scene() const { return scene_; }

  /// Changes the caps from the next frame on.
  void set_scene(const Scene& scene);

  GstFlowReturn push(Owned<GstBuffer> buffer);
  GstFlowReturn push(int index, Content content = Content::normal) { return push(render(scene_, index, content)); }
  void push_normal(int first, int count);

  /// Pushes and pulls; null where nothing came out.
  Owned<GstBuffer> run(Owned<GstBuffer> buffer);
  Owned<GstBuffer> run(int index, Content content = Content::normal) { return run(render(scene_, index, content)); }

  /// Drops what came out.
  void drain();

  bool send_eos() { return gst_harness_push_event(harness_.get(), gst_event_new_eos()); }
  void flush();

  /// Messages of `type` that were posted since the last call of this or the other functions for messages, which forget
  /// all others; name: of element messages.
  std::vector<Owned<GstMessage>> messages(GstMessageType type, const std::string& name = {});

  /// Waits for the next element message of this name, for a minute at most; forgets those before. Null where none came.
  Owned<GstMessage> wait_for(const std::string& name);

  std::vector<Failure> failures(GstMessageType type = GST_MESSAGE_ERROR);

  void set(const std::string& property, const std::string& value);

 private:
  Scene scene_;
  Owned<GstElement> element_;
  Owned<GstBus> bus_;
  Owned<GstHarness> harness_;
  bool has_segment_ = false;
};

/// Takes steps 0, 1, ... until one says that it was the last: for what shows in a frame some time after it was asked
/// for. False where that does not happen within a minute.
bool step_until(const std::function<bool(int)>& step);

/// The states of the frames in a file of json-location.
std::vector<std::string> states_in(const std::string& json_file);

/// The sink's report: the frame of this running time was so much too late.
void report_lateness(ElementHarness& harness, GstClockTime running_time, GstClockTimeDiff late_by);

/// Regions of interest on a buffer.
guint count_regions(GstBuffer* buffer);

/// Emits an action signal without arguments; returns its answer.
gboolean emit(GstElement* element, const char* signal);

/// The errors on an element's bus.
std::vector<Failure> failures_on(GstBus* bus, GstMessageType type = GST_MESSAGE_ERROR);

/// A model fitted by an element on `frames` normal frames, saved to `file`.
void fit_model(const std::string& file, const Scene& scene = {}, int frames = 24);

/// The file of a model that was fitted so on the default scene, once for all tests that only read it.
const std::string& fitted_model();

}  // namespace padim::test
