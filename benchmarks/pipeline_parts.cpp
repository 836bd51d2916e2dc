#include "pipeline_parts.h"

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>

namespace padim::bench {
namespace {

constexpr GstClockTime kPatience = 60 * GST_SECOND;

[[noreturn]] void give_up(const std::string& reason) {
  std::fprintf(stderr, "%s\n", reason.c_str());
  std::exit(1);
}

std::uint8_t surface(int x, int y, int shift) {
  const double u = (x + shift) * 0.05;
  const double v = y * 0.05;
  return static_cast<std::uint8_t>(128 + 40 * std::sin(u) * std::cos(v) + 20 * std::sin(0.3 * u + 0.7 * v));
}

}  // namespace

Camera::Camera(int width, int height, int frames) : width_(width), height_(height) {
  std::mt19937 generator(1);
  for (int i = 0; i < frames; ++i) {
    auto& frame = frames_.emplace_back(static_cast<std::size_t>(width * height * 3 / 2), std::uint8_t{128});
    const int flicker = static_cast<int>(generator() % 5);
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        const int noise = static_cast<int>(generator() >> 28) - 8;
        frame[static_cast<std::size_t>(y * width + x)] =
            static_cast<std::uint8_t>(surface(x, y, i % 2) + noise / 2 + flicker);
      }
    }
  }
}

ImageView Camera::view(int frame) const {
  const std::uint8_t* luma = bytes(frame).data();
  ImageView view;
  view.format = PixelFormat::nv12;
  view.width = width_;
  view.height = height_;
  view.data = {luma, luma + static_cast<std::ptrdiff_t>(width_) * height_, nullptr};
  view.stride = {width_, width_, 0};
  view.matrix = YuvMatrix::bt709;
  return view;
}

void Camera::damage(int frame) {
  auto& bytes = frames_[static_cast<std::size_t>(frame)];
  for (int y = height_ * 2 / 5; y < height_ * 3 / 5; ++y) {
    const auto row = bytes.begin() + static_cast<std::ptrdiff_t>(y) * width_;
    std::fill(row + width_ * 2 / 5, row + width_ * 3 / 5, std::uint8_t{30});
  }
}

ElementPipeline::ElementPipeline(const Camera& camera, const std::string& model_file) : camera_(camera) {
  const std::string description =
      "appsrc name=source format=time max-buffers=4 max-bytes=0 block=true caps=video/x-raw,format=NV12,width=" +
      std::to_string(camera.width()) + ",height=" + std::to_string(camera.height()) +
      ",framerate=30/1,colorimetry=bt709 ! padimfilter name=filter late-policy=block model-file=\"" + model_file +
      "\" ! appsink name=sink sync=false max-buffers=4";
  GError* error = nullptr;
  pipeline_ = gst_parse_launch(description.c_str(), &error);
  if (error != nullptr) give_up(error->message);
  const auto find = [&](const char* name) { return gst_bin_get_by_name(GST_BIN(pipeline_), name); };
  source_ = find("source");
  filter_ = find("filter");
  sink_ = find("sink");
  gst_element_set_state(pipeline_, GST_STATE_READY);
}

ElementPipeline::~ElementPipeline() {
  gst_element_set_state(pipeline_, GST_STATE_NULL);
  for (GstElement* element : {source_, filter_, sink_, pipeline_}) gst_object_unref(element);
}

void ElementPipeline::play() {
  if (gst_element_set_state(pipeline_, GST_STATE_PLAYING) == GST_STATE_CHANGE_FAILURE) wait_for_one();
}

void ElementPipeline::load(int first, int count) {
  frames_.resize(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) frames_[static_cast<std::size_t>(i)] = camera_.bytes(first + i);
}

void ElementPipeline::run() {
  constexpr std::size_t kAhead = 4;
  for (std::size_t i = 0; i < frames_.size() + kAhead; ++i) {
    if (i < frames_.size()) {
      auto& bytes = frames_[i];
      GstBuffer* buffer = gst_buffer_new_wrapped_full(static_cast<GstMemoryFlags>(0), bytes.data(), bytes.size(), 0,
                                                      bytes.size(), nullptr, nullptr);
      gst_app_src_push_buffer(GST_APP_SRC(source_), buffer);
    }
    if (i >= kAhead) wait_for_one();
  }
}

double ElementPipeline::last_score() const {
  double score = 0;
  g_object_get(filter_, "last-score", &score, nullptr);
  return score;
}

void ElementPipeline::wait_for_one() {
  GstSample* sample = gst_app_sink_try_pull_sample(GST_APP_SINK(sink_), kPatience);
  if (sample != nullptr) return gst_sample_unref(sample);
  GstBus* bus = gst_element_get_bus(pipeline_);
  GstMessage* message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
  if (message == nullptr) give_up("no frame came out of the pipeline");
  GError* error = nullptr;
  gst_message_parse_error(message, &error, nullptr);
  give_up(error->message);
}

std::shared_ptr<const Backbone> open_or_skip(const std::string& name) {
  BackboneOptions options;
  options.name = name;
  if (const char* folder = std::getenv("PADIM_BACKBONES")) options.search_path = {folder};
  try {
    return open_backbone(options);
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    std::exit(error.code() == ErrorCode::not_found ? 77 : 1);
  }
}

}  // namespace padim::bench
