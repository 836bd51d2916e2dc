#include "fit/blank_probe.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/logging.h"
#include "fit/scoring.h"
#include "image/mask.h"
#include "model/tensors.h"
#include "scene/cause.h"
#include "statistics/embedding_set.h"

namespace padim {
namespace {

std::vector<std::uint8_t> flat_picture(std::uint8_t level, const Geometry& geometry) {
  const auto pixels = static_cast<std::size_t>(geometry.input.width) * static_cast<std::size_t>(geometry.input.height);
  std::vector<std::uint8_t> rgb(pixels * 3, level);
  blank(geometry.mask, rgb);
  return rgb;
}

std::vector<float> embedding_of(std::uint8_t level, ImagePipeline& pipeline, const Geometry& geometry,
                                WorkerPool& pool) {
  std::vector<float> result;
  pipeline.push_image(flat_picture(level, geometry));
  pipeline.run(pool, [&](std::span<const float> embedding) { result.assign(embedding.begin(), embedding.end()); });
  return result;
}

}  // namespace

Model blank_probe(ImagePipeline& pipeline, const Model& model, WorkerPool& pool) {
  ModelInfo info = model.info();
  if (!info.scene) return model;
  const std::vector<float> black = embedding_of(0, pipeline, info.geometry, pool);
  const std::vector<float> white = embedding_of(255, pipeline, info.geometry, pool);
  const EmbeddingSet blanks{info.positions.width * info.positions.height, info.dimensions, {black, white}};
  const auto scores = image_scores({.mean = model.mean(), .whitener = model.whitener()}, blanks, info, pool);
  info.scene->black_found = static_cast<double>(scores[0]) >= info.calibration.threshold;
  info.scene->white_found = static_cast<double>(scores[1]) >= info.calibration.threshold;
  const std::string warnings = blank_sentences(*info.scene);
  if (info.calibration.rule != "none" && !warnings.empty()) log(LogLevel::warning, warnings);
  const std::string footage = footage_sentences(*info.scene, info.frames);
  if (!footage.empty()) log(LogLevel::warning, footage);
  return ModelTensors::with_info(model, std::move(info));
}

}  // namespace padim
