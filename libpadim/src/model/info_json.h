#pragma once

#include <nlohmann/json.hpp>

#include "padim/model.h"

namespace padim {

/// Everything a model records apart from its tensors, as JSON and back. from_json throws nlohmann's exceptions or Error
/// (invalid_argument) for values outside their ranges.
[[nodiscard]] nlohmann::ordered_json info_to_json(const ModelInfo& info);
[[nodiscard]] ModelInfo info_from_json(const nlohmann::ordered_json& json);

}  // namespace padim
