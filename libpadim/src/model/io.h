#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>

#include "model/tensors.h"
#include "padim/model.h"

namespace padim {

/// Version of the model file's format (docs/model-format.md).
inline constexpr int kModelFormatVersion = 2;

struct LoadedModel {
  ModelInfo info;
  std::shared_ptr<const ModelTensors> tensors;
};

/// See Model::load and Model::save.
[[nodiscard]] LoadedModel read_model(const std::filesystem::path& file);
void write_model(const std::filesystem::path& file, const ModelInfo& info, const ModelTensors& tensors,
                 const std::function<bool()>& wanted = {});

}  // namespace padim
