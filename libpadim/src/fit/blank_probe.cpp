#include "fit/blank_probe.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/logging.h"
#include "image/mask.h"
#include "model/tensors.h"
#include "scene/cause.h"
#include "score/upsampling.h"
#include "statistics/mahalanobis.h"

namespace padim {
namespace {

std::vector<std::uint8_t> flat_picture(std::uint8_t level, const Geometry& geometry) {
  const auto pixels = static_cast<std::size_t>(geometry.input.width) * static_cast<std::size_t>(geometry.input.height);
  std::vector<std::uint8_t> rgb(pixels * 3, level);
  blank(geometry.mask, rgb);
  return rgb;
}

double raw_score_of(std::uint8_t level, ImagePipeline& pipeline, const Model& model, WorkerPool& pool) {
  const ModelInfo& info = model.info();
  Mahalanobis mahalanobis(model.mean(), model.whitener(), info.positions, info.dimensions, info.search_radius);
  Upsampler upsampler(info.positions, info.geometry.input, info.geometry.mask);
  std::vector<float> distances(static_cast<std::size_t>(info.positions.width) *
                               static_cast<std::size_t>(info.positions.height));
  ScoreMap map;
  float raw = 0;
  pipeline.push_image(flat_picture(level, info.geometry));
  pipeline.run(pool, [&](std::span<const float> embedding) {
    mahalanobis.run(embedding, distances, pool);
    raw = upsampler.run(distances, map);
  });
  return static_cast<double>(raw);
}

}  // namespace

Model blank_probe(ImagePipeline& pipeline, const Model& model, WorkerPool& pool) {
  ModelInfo info = model.info();
  if (!info.scene) return model;
  const double threshold = info.calibration.threshold;
  info.scene->black_found = raw_score_of(0, pipeline, model, pool) >= threshold;
  info.scene->white_found = raw_score_of(255, pipeline, model, pool) >= threshold;
  const std::string warnings = blank_sentences(*info.scene);
  if (info.calibration.rule != "none" && !warnings.empty()) log(LogLevel::warning, warnings);
  const std::string footage = footage_sentences(*info.scene, info.frames);
  if (!footage.empty()) log(LogLevel::warning, footage);
  return ModelTensors::with_info(model, std::move(info));
}

}  // namespace padim
