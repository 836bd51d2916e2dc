#pragma once

#include <gst/gst.h>

#include <memory>
#include <string>

#include "padim/backbone.h"
#include "padim/detector.h"
#include "padimsettings.h"

namespace padim::gst {

/// A model that is ready to score: it has run, so that the first frame is as fast as the others.
struct LoadedModel {
  std::shared_ptr<const Backbone> backbone;
  std::unique_ptr<Detector> detector;
  GstClockTime frame_time = 0;  ///< that a frame took when it was tried

  [[nodiscard]] const Model& model() const { return detector->model(); }
};

// All throw what padim::Error can say, and may be called from any thread.

/// The backbone `name`, opened as `options` say otherwise.
[[nodiscard]] std::shared_ptr<const Backbone> open_named_backbone(BackboneOptions options, const std::string& name);

[[nodiscard]] LoadedModel make_ready(const DetectorOptions& options, std::shared_ptr<const Backbone> backbone,
                                     Model model);

/// The model of setup.model_file, with its backbone.
[[nodiscard]] LoadedModel load_model(const DetectSetup& setup);

}  // namespace padim::gst
