#pragma once

/// \file
/// libpadim: anomaly detection with PaDiM (arXiv 2011.08785). The public trio:
///
///     auto backbone = padim::open_backbone({});
///     padim::Fitter fitter(backbone, {});
///     for (const auto& image : normal_images) fitter.add(view_of(image));
///     padim::Model model = fitter.finish();
///     model.save("part.padim");
///     padim::Detector detector(backbone, model);
///     if (detector.detect(view_of(image)).anomalous) alarm();

#include "padim/backbone.h"
#include "padim/calibration.h"
#include "padim/detector.h"
#include "padim/error.h"
#include "padim/fitter.h"
#include "padim/frame_record.h"
#include "padim/geometry.h"
#include "padim/image_view.h"
#include "padim/learner.h"
#include "padim/limits.h"
#include "padim/log.h"
#include "padim/metrics.h"
#include "padim/model.h"
#include "padim/overlay.h"
#include "padim/scene.h"
#include "padim/score_map.h"
