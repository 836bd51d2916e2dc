#pragma once

#include <gst/gst.h>

#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "padim/backbone.h"
#include "padim/detector.h"
#include "padimsettings.h"

namespace padim::gst {

/// A model that is ready to score: its detector has run, so that the first frame is as fast as the others.
struct LoadedModel {
  std::shared_ptr<const Backbone> backbone;
  std::unique_ptr<Detector> detector;
  GstClockTime frame_time = 0;  ///< that a frame took when the detector was tried

  [[nodiscard]] const Model& model() const { return detector->model(); }
};

/// A model to be put in the place of that in use, whose detector needs not be tried again; or, where they differ in
/// more than what they learned, one with a detector of its own.
using NewModel = std::variant<Model, LoadedModel>;

[[nodiscard]] const ModelInfo& info_of(const NewModel& model);

// All throw what padim::Error can say, and may be called from any thread.

/// The backbone `name`, opened as `options` say otherwise.
[[nodiscard]] std::shared_ptr<const Backbone> open_named_backbone(BackboneOptions options, const std::string& name);

/// The name of a fit's backbone.
[[nodiscard]] std::string fit_backbone(const DetectSetup& setup);

/// in_use: the model in use, if there is one.
[[nodiscard]] NewModel make_new(const DetectorOptions& options, std::shared_ptr<const Backbone> backbone, Model model,
                                const std::optional<Model>& in_use);

/// The model of setup.model_file, with its backbone, which is `open` where that is the right one. `open` may be null.
[[nodiscard]] NewModel load_model(const DetectSetup& setup, std::shared_ptr<const Backbone> open,
                                  const std::optional<Model>& in_use);

}  // namespace padim::gst
