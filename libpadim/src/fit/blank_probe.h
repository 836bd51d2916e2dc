#pragma once

#include <memory>

#include "padim/backbone.h"
#include "padim/model.h"

namespace padim {

/// The same model, with what was found out in its SceneReference: whether a black and a white frame, which are never
/// normal, score above its threshold. Two runs of the network. What does not is said in the log, as a warning where the
/// threshold is calibrated. A model without a SceneReference stays as it is. threads: see DetectorOptions. Throws what
/// Detector throws.
[[nodiscard]] Model blank_probe(const std::shared_ptr<const Backbone>& backbone, const Model& model, int threads);

}  // namespace padim
