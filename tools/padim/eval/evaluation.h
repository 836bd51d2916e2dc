#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "eval/mvtec_dataset.h"
#include "padim/backbone.h"
#include "padim/fitter.h"
#include "padim/metrics.h"
#include "padim/model.h"
#include "padim/score_map.h"

namespace padim::tool {

/// How a model is judged.
enum class Protocol {
  official,   ///< MVTec AD's: every image against its ground truth at full resolution, with a label-free threshold
  reference,  ///< the published implementation's: at network-input size, threshold of the best F1
};

/// How the layers of the backbone come together.
enum class Fusion {
  concatenate,  ///< one model of all taps (the paper's)
  sum,          ///< one model per tap; their score maps are added. There is no label-free threshold for the sum
};

struct EvaluationSettings {
  Protocol protocol = Protocol::official;
  Fusion fusion = Fusion::concatenate;
  FitOptions fit;
  int threads = -1;        ///< images inspected at a time; not positive: all cores
  bool keep_maps = false;  ///< for pictures
};

struct ImageResult {
  TestImage source;
  double raw_score = 0;
  Size size;
  FrameMapping mapping;
  ScoreMap map;  ///< empty unless wanted
};

/// What an operator would count, at the threshold that was chosen without labels.
struct AlarmCounts {
  std::int64_t false_alarms = 0;  ///< normal test images that reach it
  std::int64_t missed = 0;        ///< anomalous ones that do not
};

struct ClassResult {
  std::string name;
  std::int64_t training = 0;          ///< images
  std::vector<std::string> left_out;  ///< see DatasetClass
  bool masks = true;                  ///< there are; else `pixel` is empty
  ModelInfo model;                    ///< of the first tap where several models are summed
  Fusion fusion = Fusion::concatenate;
  std::optional<double> threshold;  ///< raw image score, label-free; absent without calibration
  AlarmCounts alarms;               ///< where there is a threshold
  RankingQuality image;
  RankingQuality pixel;
  std::vector<ImageResult> images;  ///< as in the data set
  double seen = 1;                  ///< share of the anomalous pixels that lie where the network looks
  double fit_seconds = 0;
  double test_seconds = 0;
};

/// Fits on the class's training images and judges its test images, with progress on the terminal. Throws Error naming
/// the image or mask at fault; cancelled after an interrupt.
[[nodiscard]] ClassResult evaluate(const DatasetClass& data, const std::shared_ptr<const Backbone>& backbone,
                                   const EvaluationSettings& settings);

[[nodiscard]] std::string to_string(Fusion fusion);      ///< "concatenate" or "sum"
[[nodiscard]] std::string to_string(Protocol protocol);  ///< "official" or "reference"

}  // namespace padim::tool
