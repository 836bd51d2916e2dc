#pragma once

#include "padim/backbone.h"
#include "padim/model.h"

namespace padim {

/// Throws mismatch, naming the difference, where a model was not fitted with this backbone: name, weights, taps.
void check_belong_together(const BackboneInfo& backbone, const ModelInfo& model);

/// Throws mismatch, naming the difference, where the statistics of two models cannot be merged: backbone, taps, grid,
/// reduction and its matrix, geometry, epsilon, search radius.
void check_mergeable(const Model& a, const Model& b);

}  // namespace padim
