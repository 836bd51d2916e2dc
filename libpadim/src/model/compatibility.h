#pragma once

#include <memory>

#include "padim/backbone.h"
#include "padim/model.h"

namespace padim {

/// The backbone with the taps that the model uses. Throws mismatch, naming the difference, where the model was not
/// fitted with this backbone: name, weights, taps.
[[nodiscard]] std::shared_ptr<const Backbone> backbone_for(const ModelInfo& model, const Backbone& backbone);

/// Throws mismatch, naming the difference, where the statistics of two models cannot be merged: backbone, taps, grid,
/// reduction and its matrix, geometry, epsilon, search radius, kind of augmented copies.
void check_mergeable(const Model& a, const Model& b);

}  // namespace padim
