#pragma once

#include "base/worker_pool.h"
#include "embedding/image_pipeline.h"
#include "padim/model.h"

namespace padim {

/// The same model, with what was found out in its SceneReference: whether a black and a white frame, which are never
/// normal, score above its threshold. Two runs of the network; `pipeline`: that of the fit, with no frame pending.
/// Where the threshold is calibrated, what would not be found is said in the log. A model without a SceneReference
/// stays as it is.
[[nodiscard]] Model blank_probe(ImagePipeline& pipeline, const Model& model, WorkerPool& pool);

}  // namespace padim
