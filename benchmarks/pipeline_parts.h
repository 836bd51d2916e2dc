#pragma once

#include <gst/gst.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "padim/padim.h"

namespace padim::bench {

/// A camera's NV12 frames of a textured surface: each frame with its own noise, a shift of a pixel and a little
/// flicker, the same ones on every machine.
class Camera {
 public:
  Camera(int width, int height, int frames);

  [[nodiscard]] int width() const { return width_; }
  [[nodiscard]] int height() const { return height_; }
  [[nodiscard]] int frames() const { return static_cast<int>(frames_.size()); }
  [[nodiscard]] ImageView view(int frame) const;
  [[nodiscard]] const std::vector<std::uint8_t>& bytes(int frame) const {
    return frames_[static_cast<std::size_t>(frame % frames())];
  }

  /// Paints a dark square onto the middle of a frame.
  void damage(int frame);

 private:
  int width_;
  int height_;
  std::vector<std::vector<std::uint8_t>> frames_;
};

/// appsrc ! padimfilter ! appsink with the model, in READY. Exits with a message where the plugin is missing.
class ElementPipeline {
 public:
  ElementPipeline(const Camera& camera, const std::string& model_file);
  ~ElementPipeline();
  ElementPipeline(const ElementPipeline&) = delete;
  ElementPipeline& operator=(const ElementPipeline&) = delete;

  /// To PLAYING; returns at once.
  void play();

  /// Copies `count` of the camera's frames from `first` on to be pushed next: the element draws on what it is given,
  /// and drawn on a second time a frame would be another one.
  void load(int first, int count);

  /// Pushes what was loaded, in buffers that are writable as a decoder's are, and waits until the last one has come
  /// out.
  void run();

  [[nodiscard]] double last_score() const;

 private:
  void wait_for_one();

  const Camera& camera_;
  std::vector<std::vector<std::uint8_t>> frames_;
  GstElement* pipeline_;
  GstElement* source_;
  GstElement* filter_;
  GstElement* sink_;
};

/// The backbone, with its weights looked for in $PADIM_BACKBONES. Exits with status 77 and a sentence where they are
/// missing.
std::shared_ptr<const Backbone> open_or_skip(const std::string& name);

/// Wall-clock seconds of `work`.
template <class Work>
double seconds_of(const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace padim::bench
