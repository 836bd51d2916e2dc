#include "model/compatibility.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/logging.h"
#include "padim/error.h"
#include "padim/limits.h"

namespace padim {
namespace {

std::string text(const TapInfo& tap) {
  return "'" + tap.name + "' (" + std::to_string(tap.channels) + " channels, stride " + std::to_string(tap.stride) +
         ")";
}

std::string names_of(const std::vector<TapInfo>& taps) {
  std::string names;
  for (const TapInfo& tap : taps) names += (names.empty() ? "" : " ") + tap.name;
  return names;
}

std::string name_of(const ModelInfo& info) {
  return to_string(info.reduction.kind) + " to " + std::to_string(info.dimensions) + " dimensions, seed " +
         std::to_string(info.reduction.seed);
}

std::string name_of(const Rectangle& roi) {
  if (roi.width == 0) return "none";
  return to_string(Size{roi.width, roi.height}) + " at " + std::to_string(roi.x) + "," + std::to_string(roi.y);
}

std::string ignored_by(const std::vector<std::uint8_t>& mask) {
  return std::to_string(std::count(mask.begin(), mask.end(), 0)) + " ignored pixels";
}

std::string epsilon_of(const ModelInfo& info) {
  return info.relative_epsilon > 0 ? std::to_string(info.relative_epsilon) + " of the mean variance"
                                   : std::to_string(info.epsilon);
}

// Of 16-bit pictures.
int bits_of(const ModelInfo& info) { return info.sample_bits == 0 ? kSampleBits.most : info.sample_bits; }

std::string name_of(SourceKind kind) { return kind == SourceKind::images ? "separate images" : "a stream"; }

std::vector<std::string> ids_in(const Model& model) {
  std::vector<std::string> ids = model.info().sources;
  ids.push_back(model.id());
  return ids;
}

// Frames that count twice make everything near them look more normal than it is.
void check_disjoint(const Model& one, const Model& other) {
  const std::vector<std::string> ids = ids_in(one);
  for (const std::string& id : ids_in(other)) {
    if (std::ranges::find(ids, id) == ids.end()) continue;
    throw Error(ErrorCode::invalid_argument, "the models cannot be merged: both contain the frames of model " + id +
                                                 ", which would count twice; merge each fit once");
  }
}

}  // namespace

std::shared_ptr<const Backbone> backbone_for(const ModelInfo& model, const Backbone& network) {
  const BackboneInfo& backbone = network.info();
  const auto fail = [](const std::string& difference) {
    throw Error(ErrorCode::mismatch, "the model does not belong to this backbone: " + difference);
  };
  if (backbone.name != model.backbone) fail("it was fitted with '" + model.backbone + "', not '" + backbone.name + "'");
  if (backbone.weights_sha256 != model.weights_sha256) {
    fail("its weights have SHA-256 " + model.weights_sha256.substr(0, 12) + "..., those loaded " +
         backbone.weights_sha256.substr(0, 12) + "...; use the weights of the fit, or fit again");
  }
  std::vector<int> taps;
  for (const TapInfo& tap : model.taps) {
    const auto found = std::find(backbone.taps.begin(), backbone.taps.end(), tap);
    const int index = static_cast<int>(found - backbone.taps.begin());
    if (found == backbone.taps.end() || (!taps.empty() && index <= taps.back())) {
      fail("the taps differ: it uses " + text(tap) + ", which this backbone does not have there; use the description " +
           "of the fit, or fit again");
    }
    taps.push_back(index);
  }
  return network.with_taps(taps);
}

void check_mergeable(const Model& one, const Model& other) {
  const ModelInfo& a = one.info();
  const ModelInfo& b = other.info();
  const auto require = [](bool same, const std::string& what, const std::string& first, const std::string& second) {
    if (same) return;
    throw Error(ErrorCode::mismatch, "the models cannot be merged: their " + what + " differ (" + first + " and " +
                                         second + "); fit them with the same settings");
  };
  require(a.backbone == b.backbone, "backbones", a.backbone, b.backbone);
  require(a.weights_sha256 == b.weights_sha256, "backbone weights", a.weights_sha256.substr(0, 12),
          b.weights_sha256.substr(0, 12));
  require(a.taps == b.taps, "taps", names_of(a.taps), names_of(b.taps));
  require(a.grid == b.grid, "grids", to_string(a.grid), to_string(b.grid));
  require(a.reduction == b.reduction && a.dimensions == b.dimensions, "reductions", name_of(a), name_of(b));
  require(std::ranges::equal(one.projection(), other.projection()), "projections", "of model " + one.id(),
          "of model " + other.id());
  require(a.geometry.mode == b.geometry.mode, "geometries", to_string(a.geometry.mode), to_string(b.geometry.mode));
  require(a.geometry.input == b.geometry.input, "network inputs", to_string(a.geometry.input),
          to_string(b.geometry.input));
  static_cast<void>(map_to_frame(a.geometry, b.geometry.fitted_frame));
  require(a.geometry.roi == b.geometry.roi, "regions of interest", name_of(a.geometry.roi), name_of(b.geometry.roi));
  require(a.geometry.mask == b.geometry.mask, "masks", ignored_by(a.geometry.mask), ignored_by(b.geometry.mask));
  require(a.search_radius == b.search_radius, "search radii", std::to_string(a.search_radius),
          std::to_string(b.search_radius));
  require(bits_of(a) == bits_of(b), "ranges of 16-bit pictures", std::to_string(bits_of(a)) + " bits",
          std::to_string(bits_of(b)) + " bits");
  require(a.prior == b.prior, "priors", short_text(a.prior), short_text(b.prior));
  require(a.calibration.source == b.calibration.source, "sources", name_of(a.calibration.source),
          name_of(b.calibration.source));
  require(a.augment == 0 || b.augment == 0 || a.augment_kind == b.augment_kind, "augmented copies",
          to_string(a.augment_kind), to_string(b.augment_kind));
  const bool relative = a.relative_epsilon > 0;
  require(a.relative_epsilon == b.relative_epsilon && (relative || a.epsilon == b.epsilon), "epsilons", epsilon_of(a),
          epsilon_of(b));
  check_disjoint(one, other);
}

}  // namespace padim
