#pragma once

#include <functional>
#include <memory>

#include "padim/backbone.h"

namespace padim::gst {

using BackboneFactory = std::function<std::shared_ptr<const Backbone>(const BackboneOptions&)>;

/// Replaces padim::open_backbone for every element of this process; an empty factory restores it. Thread-safe. Tests
/// use it to run elements without weights.
void set_backbone_factory(BackboneFactory factory);

/// Opens a backbone with the factory in force. Throws what it throws.
[[nodiscard]] std::shared_ptr<const Backbone> make_backbone(const BackboneOptions& options);

}  // namespace padim::gst
