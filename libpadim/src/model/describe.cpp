// A model in sentences, for people: what it is, what its threshold rests on, and what that cannot promise.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>

#include "base/logging.h"
#include "padim/model.h"
#include "scene/cause.h"

namespace padim {
namespace {

std::string tap_names(const ModelInfo& info) {
  std::string names;
  for (const TapInfo& tap : info.taps) names += (names.empty() ? "" : ", ") + tap.name;
  return names;
}

std::string channels_sentence(const ModelInfo& info) {
  const std::string dimensions = std::to_string(info.dimensions);
  const std::string seed = std::to_string(info.reduction.seed);
  switch (info.reduction.kind) {
    case ReductionKind::random:
      return dimensions + " channels drawn with seed " + seed;
    case ReductionKind::semi_orthogonal:
      return "all channels projected to " + dimensions + " random orthonormal directions (seed " + seed + ")";
    case ReductionKind::pca:
      return "all channels projected to their " + dimensions + " principal components";
    default:
      return "all " + dimensions + " channels";
  }
}

std::string epsilon_sentence(const ModelInfo& info) {
  const std::string value = "Covariances are regularised by epsilon " + short_text(info.epsilon);
  return info.relative_epsilon > 0 ? value + ", " + short_text(info.relative_epsilon) + " of the mean variance."
                                   : value + ".";
}

std::string prior_sentence(const ModelInfo& info) {
  if (info.prior == 0) return "";
  return " The covariance pooled over all positions weighs as " + short_text(info.prior) +
         " frames beside each one's own.";
}

std::string copies_sentence(const std::optional<double>& gain) {
  if (!gain) return "";
  const std::string by = short_text(std::abs(*gain)) + " per dimension in log-likelihood";
  return *gain > 0 ? " They make frames that were left out more likely, by " + by + ": they help."
                   : " They make frames that were left out less likely, by " + by +
                         ": the parts seem to lie the same way, and a fit without copies is better.";
}

std::string augment_sentence(const ModelInfo& info) {
  if (info.augment == 0) return "";
  const std::string copies = std::to_string(info.augment) + (info.augment == 1 ? " copy" : " copies");
  const char* how = info.augment_kind == AugmentKind::light
                        ? " with slightly other light, white balance, position and noise."
                        : " turned by any angle, with slightly other light and position.";
  return " With each frame went " + copies + how + copies_sentence(info.examination.copies_gain);
}

std::string rule_sentence(const Calibration& calibration) {
  if (calibration.rule == "stream") return "the mean of held-out normal scores times a factor for the rate";
  if (calibration.rule == "images") return "a quantile of leave-one-out scores";
  if (calibration.rule == "stretch") return "the Gumbel quantile of the held-out scores of what was learned last";
  if (calibration.rule == "floor") return "the smallest there is, because the frames were nearly alike";
  return "the " + calibration.rule + " quantile of held-out normal scores";
}

std::string what_was_held_out(const Calibration& calibration) {
  const std::string scores = std::to_string(calibration.scores.size());
  if (calibration.source == SourceKind::stream) {
    return " It rests on " + scores + " frames in " + std::to_string(calibration.segments) +
           " contiguous segments, each scored by a model of segments well away from it in time.";
  }
  std::string sentence = " It rests on " + scores + " images, each scored by a model of all others.";
  const double copies = static_cast<double>(calibration.scores.size()) - calibration.distinct;
  if (calibration.distinct > 0 && copies > 0.5) {
    sentence += " Some are nearly the same picture: they count as " + short_text(std::round(calibration.distinct)) +
                " different ones.";
  }
  return sentence;
}

// What measurements on other footage tell of such a fit (docs/calibration.md).
std::string promise_sentence(const ModelInfo& info) {
  const Calibration& calibration = info.calibration;
  if (calibration.source == SourceKind::images) {
    if (info.frames < 4) return " So few images tell no more than the order of magnitude: add more.";
    if (calibration.false_alarm_rate * (calibration.distinct + 1) < 1) {
      return " The rate lies beyond what so many images can show: expect up to three times as many false alarms.";
    }
    return " Expect the wanted rate within a factor of 2 to 3; what is missed then, the scores cannot tell from "
           "normal.";
  }
  if (info.frames < 8) return " So few frames promise no flood of false alarms and no more: fit on at least 16.";
  if (info.frames < 30 && calibration.false_alarm_rate < 0.01) {
    return " From so few frames expect more false alarms than wanted: 30 and more are better.";
  }
  return " Light, weather or a camera position that the fit did not see are not covered: learn them, or fit again.";
}

std::string chosen_sentence(const Calibration& calibration) {
  const std::vector<float>& scores = calibration.scores;
  const auto reached =
      std::ranges::count_if(scores, [&](float score) { return static_cast<double>(score) >= calibration.threshold; });
  return "The threshold is raw score " + short_text(calibration.threshold) + " (shown as 0.5): chosen, not calibrated" +
         (scores.empty() ? "."
                         : "; " + std::to_string(reached) + " of " + std::to_string(scores.size()) +
                               " held-out normal scores reach it.");
}

std::string threshold_sentence(const ModelInfo& info) {
  const Calibration& calibration = info.calibration;
  const std::string threshold = "The threshold is raw score " + short_text(calibration.threshold);
  if (calibration.rule == "chosen") return chosen_sentence(calibration);
  if (calibration.rule == "none") return threshold + ", not calibrated.";
  return threshold + " (shown as 0.5): " + rule_sentence(calibration) + ", for a wanted false-alarm rate of " +
         short_text(calibration.false_alarm_rate) + " per " +
         (calibration.source == SourceKind::stream ? "frame" : "image") + "." + what_was_held_out(calibration) +
         promise_sentence(info);
}

std::string names_of(const Examination& examination, bool dropped) {
  constexpr std::size_t kMost = 10;
  std::string names;
  std::size_t count = 0;
  for (const OddFrame& odd : examination.outliers) {
    if (odd.dropped != dropped) continue;
    if (count++ == kMost) return names + ", ...";
    names += (names.empty() ? "" : ", ") + (odd.name.empty() ? "frame " + std::to_string(odd.frame) : odd.name);
  }
  return names;
}

std::string examination_sentences(const Examination& examination) {
  std::string text;
  const auto counted = [](std::int64_t count) { return std::to_string(count) + (count == 1 ? " frame" : " frames"); };
  if (examination.dropped > 0) {
    text +=
        "Left out, as unlike all others: " + counted(examination.dropped) + " (" + names_of(examination, true) + ").\n";
  }
  if (examination.kept > 0) {
    text += "Unlike all others, but kept: " + counted(examination.kept) + " (" + names_of(examination, false) +
            "). Look whether they are normal.\n";
  }
  if (examination.repeats > 0) {
    text += "Left out, as they show an earlier passage again: " + counted(examination.repeats) + ".\n";
  }
  if (examination.inconsistent) {
    text +=
        "The frames do not agree with each other: more than 30 % of a passage were unlike the rest, and were kept.\n";
  }
  return text;
}

std::string look_sentence(const Geometry& geometry) {
  std::string sentence;
  const Rectangle& roi = geometry.roi;
  if (roi.width > 0) {
    sentence += "Only the " + to_string(Size{roi.width, roi.height}) + " pixels from (" + std::to_string(roi.x) + ", " +
                std::to_string(roi.y) + ") on are looked at.\n";
  }
  if (!geometry.mask.empty()) {
    const auto ignored = std::count(geometry.mask.begin(), geometry.mask.end(), 0);
    sentence += "A mask ignores " +
                short_text(100.0 * static_cast<double>(ignored) / static_cast<double>(geometry.mask.size())) +
                " % of what is looked at.\n";
  }
  return sentence;
}

std::string samples_sentence(const ModelInfo& info) {
  if (info.sample_bits == 0) return "";
  return "16-bit pictures are read as " + std::to_string(info.sample_bits) + "-bit ones.\n";
}

// Of models with a threshold to compare black and white frames with.
std::string scene_sentences(const ModelInfo& info) {
  if (!info.scene || info.calibration.rule == "none") return "";
  const std::string footage = footage_sentences(*info.scene, info.frames);
  const std::string blanks = blank_sentences(*info.scene);
  return footage + (footage.empty() ? "" : "\n") + blanks + (blanks.empty() ? "" : "\n");
}

}  // namespace

std::string describe(const Model& model) {
  const ModelInfo& info = model.info();
  return "PaDiM model " + model.id() + ", fitted on " + std::to_string(info.frames) + " frames of " +
         to_string(info.geometry.fitted_frame) + ".\n" + "Backbone " + info.backbone + " (weights " +
         info.weights_sha256.substr(0, 8) + "), taps " + tap_names(info) + ", " + channels_sentence(info) + ", grid " +
         to_string(info.grid) + ": " + to_string(info.positions) + " patch positions, network input " +
         to_string(info.geometry.input) + ", geometry " + to_string(info.geometry.mode) + ", search radius " +
         std::to_string(info.search_radius) + ".\n" + look_sentence(info.geometry) + samples_sentence(info) +
         epsilon_sentence(info) + prior_sentence(info) + augment_sentence(info) + "\n" + threshold_sentence(info) +
         "\n" + examination_sentences(info.examination) + scene_sentences(info);
}

}  // namespace padim
