#include "eval/ablation.h"

#include "terminal/progress.h"

namespace padim::tool {
namespace {

int channels_of(const BackboneInfo& backbone) {
  int channels = 0;
  for (const TapInfo& tap : backbone.taps) channels += tap.channels;
  return channels;
}

void add_layers(const EvaluationSettings& base, const BackboneInfo& backbone, std::vector<Configuration>& result) {
  EvaluationSettings settings = base;
  settings.fit.reduction = ReductionKind::none;
  for (const TapInfo& tap : backbone.taps) {
    settings.fit.taps = {tap.name};
    result.push_back({"layers", tap.name + " alone", settings});
  }
  settings.fit.taps.clear();
  settings.fusion = Fusion::sum;
  result.push_back({"layers", "sum of all maps", settings});
  settings.fusion = Fusion::concatenate;
  result.push_back({"layers", "all together", settings});
}

void add_dimensions(const EvaluationSettings& base, const BackboneInfo& backbone, std::vector<Configuration>& result) {
  const int channels = channels_of(backbone);
  EvaluationSettings settings = base;
  for (const int dimensions : {100, 200}) {
    if (dimensions > channels) {
      notice(std::to_string(dimensions) + " dimensions are left out: backbone " + backbone.name + " has " +
             std::to_string(channels) + " channels");
      continue;
    }
    settings.fit.dimensions = dimensions;
    for (const ReductionKind kind : {ReductionKind::random, ReductionKind::pca}) {
      settings.fit.reduction = kind;
      result.push_back({"dimensions", to_string(kind) + " " + std::to_string(dimensions), settings});
    }
  }
}

}  // namespace

std::vector<Configuration> ablation(const EvaluationSettings& base, const BackboneInfo& backbone) {
  EvaluationSettings settings = base;
  settings.fit.false_alarm_rate.reset();
  settings.keep_maps = false;
  std::vector<Configuration> result;
  add_layers(settings, backbone, result);
  add_dimensions(settings, backbone, result);
  return result;
}

}  // namespace padim::tool
