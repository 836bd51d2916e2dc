#include "fit/blank_probe.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/logging.h"
#include "model/tensors.h"
#include "padim/detector.h"
#include "scene/cause.h"

namespace padim {
namespace {

bool finds(Detector& detector, std::uint8_t level, const char* colour) {
  const Size size = detector.model().info().geometry.fitted_frame;
  const std::vector<std::uint8_t> pixels(static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height),
                                         level);
  ImageView frame;
  frame.format = PixelFormat::gray8;
  frame.width = size.width;
  frame.height = size.height;
  frame.data[0] = pixels.data();
  frame.stride[0] = size.width;
  const Detection& detection = detector.detect(frame);
  log(LogLevel::debug, [&] {
    return std::string("a ") + colour + " frame scores " + short_text(detection.raw_score) + ", threshold " +
           short_text(detection.calibrated_threshold);
  });
  return detection.anomalous;
}

}  // namespace

Model blank_probe(const std::shared_ptr<const Backbone>& backbone, const Model& model, int threads) {
  ModelInfo info = model.info();
  if (!info.scene) return model;
  Detector detector(backbone, model, {.threads = threads});
  info.scene->black_found = finds(detector, 0, "black");
  info.scene->white_found = finds(detector, 255, "white");
  const std::string warnings = blank_sentences(*info.scene);
  if (info.calibration.segments > 0 && !warnings.empty()) log(LogLevel::warning, warnings);
  return ModelTensors::with_info(model, std::move(info));
}

}  // namespace padim
