#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "padim/backbone.h"
#include "padim/export.h"
#include "padim/geometry.h"
#include "padim/image_view.h"
#include "padim/limits.h"
#include "padim/model.h"
#include "padim/scene.h"
#include "padim/score_map.h"

namespace padim {

/// What one frame's inspection found.
struct Detection {
  double raw_score = 0;                    ///< maximum of the score map, >= 0
  double score = 0;                        ///< shown score: raw_score / (raw_score + calibrated_threshold), [0, 1)
  double threshold = kThreshold.fallback;  ///< shown threshold in force
  double calibrated_threshold = 1;         ///< the model's raw threshold T, shown as 0.5: the scale of the heat map
  bool anomalous = false;                  ///< score >= threshold; exactly when `regions` is not empty
  ScoreMap map;                            ///< raw scores at network-input size
  FrameMapping mapping;                    ///< from the map's coordinates to the frame's
  std::vector<Region> regions;             ///< by falling score, within the limits asked for
  double median_distance = 0;              ///< of the patches that count, not smoothed: the level of the whole picture
  Appearance appearance;                   ///< of what counts
  std::int64_t repeats = 0;                ///< frames detected just before this one that had the very same picture
};

/// What a SceneMonitor observes of a detection; at: see SceneFrame.
[[nodiscard]] inline SceneFrame scene_frame(const Detection& detection, std::int64_t at) {
  return {at, detection.appearance, detection.repeats, detection.median_distance, detection.anomalous};
}

/// Wall time that a frame took, in milliseconds per stage.
struct StageTimes {
  double preprocess = 0;  ///< the frame becomes the network's input
  double network = 0;
  double embedding = 0;  ///< feature maps to the embedding
  double distances = 0;
  double map = 0;
  double regions = 0;  ///< of the latest judgement
};

/// How a detector runs.
struct DetectorOptions {
  /// Most processor threads of the network and of the distances; not positive: 1. One frame at a time gains little from
  /// more: see Backbone::run. Where other programs hold the cores the network falls back to 1, so that scores may then
  /// differ in their last digits.
  int threads = kThreads.fallback;
  /// Ignores more of the frame than the model's own mask does. The network still sees these places, so that what
  /// happens there shows a little beside them; a mask of the fit (FitOptions::mask) is strict.
  MaskPicture mask = {};
};

/// Scores frames with a model. Owns only scratch memory: nothing is allocated per frame in a steady state. One thread
/// at a time.
class PADIM_API Detector {
 public:
  /// Throws mismatch where backbone and model do not belong together: name, weights' checksum, taps.
  Detector(std::shared_ptr<const Backbone> backbone, Model model, DetectorOptions options = {});
  ~Detector();
  Detector(Detector&&) noexcept;
  Detector& operator=(Detector&&) noexcept;

  /// threshold: shown score in [0, 1] from which a frame counts as anomalous; 0.5 is the calibrated one.
  /// The result lives until the next call. Throws invalid_argument for values out of range, mismatch for frames whose
  /// shape does not fit the model, numeric where the network's output is not finite.
  const Detection& detect(const ImageView& frame, double threshold = kThreshold.fallback,
                          const RegionLimits& limits = {});

  /// Judges the latest frame again, by another threshold and without the network. Lifetime as of detect(). Throws
  /// invalid_argument where no frame was detected yet with the model in use.
  const Detection& judge(double threshold, const RegionLimits& limits = {});

  /// Swaps the model in use; nothing is computed, and what both models have in common (taps, geometry, reduction) stays
  /// as it is: network, scratch memory, threads. The options' mask holds on. There is no latest frame afterwards.
  /// Throws mismatch where the model does not belong to the backbone, invalid_argument where the mask does not fit its
  /// geometry; the model before stays in use then, with its latest frame.
  void replace(Model model);

  /// Embedding [P, d] of the latest frame; lives until the next call of detect() or replace(). Empty where there is
  /// none.
  [[nodiscard]] std::span<const float> embedding() const;

  /// Of the latest frame.
  [[nodiscard]] const StageTimes& stage_times() const;

  [[nodiscard]] const Model& model() const;

 private:
  struct PADIM_LOCAL Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace padim
