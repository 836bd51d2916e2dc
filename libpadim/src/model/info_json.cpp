#include "model/info_json.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "padim/limits.h"

namespace padim {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kMostSceneSegments = 1 << 16;

Json size_to_json(Size size) { return Json::array({size.width, size.height}); }

Size size_from_json(const Json& json) { return {json.at(0).get<int>(), json.at(1).get<int>()}; }

Json taps_to_json(const std::vector<TapInfo>& taps) {
  Json json = Json::array();
  for (const TapInfo& tap : taps) {
    json.push_back({{"name", tap.name}, {"channels", tap.channels}, {"stride", tap.stride}});
  }
  return json;
}

std::vector<TapInfo> taps_from_json(const Json& json) {
  std::vector<TapInfo> taps;
  for (const Json& tap : json) {
    taps.push_back({tap.at("name").get<std::string>(), tap.at("channels").get<int>(), tap.at("stride").get<int>()});
  }
  return taps;
}

Json calibration_to_json(const Calibration& calibration) {
  return {{"threshold", calibration.threshold},
          {"false_alarm_rate", calibration.false_alarm_rate},
          {"source", calibration.source == SourceKind::images ? "images" : "stream"},
          {"segments", calibration.segments},
          {"level", calibration.level},
          {"distinct", calibration.distinct},
          {"order_factor", calibration.order_factor},
          {"rule", calibration.rule},
          {"scores", calibration.scores},
          {"stretches", calibration.stretches}};
}

SourceKind source_from_json(const std::string& name) {
  if (name == "stream") return SourceKind::stream;
  if (name == "images") return SourceKind::images;
  throw std::out_of_range("'source' is outside its range");
}

Calibration calibration_from_json(const Json& json) {
  Calibration calibration;
  json.at("threshold").get_to(calibration.threshold);
  json.at("false_alarm_rate").get_to(calibration.false_alarm_rate);
  calibration.source = source_from_json(json.value("source", "stream"));
  json.at("segments").get_to(calibration.segments);
  calibration.level = json.value("level", 0.0);
  calibration.distinct = json.value("distinct", 0.0);
  calibration.order_factor = json.value("order_factor", 1.0);
  json.at("rule").get_to(calibration.rule);
  json.at("scores").get_to(calibration.scores);
  if (json.contains("stretches")) json.at("stretches").get_to(calibration.stretches);
  return calibration;
}

Json examination_to_json(const Examination& examination) {
  Json outliers = Json::array();
  for (const OddFrame& odd : examination.outliers) {
    outliers.push_back({{"frame", odd.frame}, {"name", odd.name}, {"dropped", odd.dropped}});
  }
  Json json = {{"outliers", std::move(outliers)},
               {"dropped", examination.dropped},
               {"kept", examination.kept},
               {"repeats", examination.repeats},
               {"inconsistent", examination.inconsistent}};
  if (examination.copies_gain) json["copies_gain"] = *examination.copies_gain;
  return json;
}

Examination examination_from_json(const Json& json) {
  Examination examination;
  const Json& outliers = json.at("outliers");
  if (outliers.size() > Examination::kListed) throw std::out_of_range("'outliers' is outside its range");
  for (const Json& odd : outliers) {
    examination.outliers.push_back(
        {odd.at("frame").get<std::int64_t>(), odd.at("name").get<std::string>(), odd.at("dropped").get<bool>()});
  }
  json.at("dropped").get_to(examination.dropped);
  json.at("kept").get_to(examination.kept);
  json.at("repeats").get_to(examination.repeats);
  json.at("inconsistent").get_to(examination.inconsistent);
  if (json.contains("copies_gain")) examination.copies_gain = json.at("copies_gain").get<double>();
  return examination;
}

Json appearance_to_json(const Appearance& appearance) {
  return Json::array({appearance.luma, appearance.contrast, appearance.sharpness});
}

Appearance appearance_from_json(const Json& json) {
  return {json.at(0).get<double>(), json.at(1).get<double>(), json.at(2).get<double>()};
}

Json scene_to_json(const SceneReference& scene) {
  return {{"least", appearance_to_json(scene.appearance.least)},
          {"most", appearance_to_json(scene.appearance.most)},
          {"longest_still", scene.longest_still},
          {"median_distance", scene.median_distance},
          {"segments", scene.segments},
          {"frames", scene.frames},
          {"black_found", scene.black_found},
          {"white_found", scene.white_found}};
}

SceneReference scene_from_json(const Json& json) {
  return {{appearance_from_json(json.at("least")), appearance_from_json(json.at("most"))},
          json.at("longest_still").get<std::int64_t>(),
          json.at("median_distance").get<double>(),
          json.at("segments").get<int>(),
          json.at("frames").get<std::int64_t>(),
          json.at("black_found").get<bool>(),
          json.at("white_found").get<bool>()};
}

// Runs of equal values, the first of pixels that count (it may be empty), then of ignored ones, and so on.
Json mask_to_json(const std::vector<std::uint8_t>& mask) {
  Json runs = Json::array();
  std::uint8_t value = 1;
  for (std::size_t at = 0; at < mask.size(); value ^= 1) {
    const auto begin = mask.begin() + static_cast<std::ptrdiff_t>(at);
    const auto length = std::find_if(begin, mask.end(), [&](std::uint8_t v) { return v != value; }) - begin;
    runs.push_back(length);
    at += static_cast<std::size_t>(length);
  }
  return runs;
}

std::vector<std::uint8_t> mask_from_json(const Json& runs, Size input) {
  const std::int64_t pixels = std::int64_t{input.width} * input.height;
  std::vector<std::uint8_t> mask;
  std::uint8_t value = 1;
  for (const Json& run : runs) {
    const auto length = run.get<std::int64_t>();
    const auto left = pixels - static_cast<std::int64_t>(mask.size());
    if (length < 0 || length > left) throw std::out_of_range("'mask' is outside its range");
    mask.insert(mask.end(), static_cast<std::size_t>(length), value);
    value ^= 1;
  }
  if (static_cast<std::int64_t>(mask.size()) != pixels) throw std::out_of_range("'mask' is outside its range");
  return mask;
}

Json geometry_to_json(const Geometry& geometry) {
  Json json = {{"mode", to_string(geometry.mode)},
               {"input", size_to_json(geometry.input)},
               {"fitted_frame", size_to_json(geometry.fitted_frame)}};
  const Rectangle& roi = geometry.roi;
  if (roi.width > 0) json["roi"] = Json::array({roi.x, roi.y, roi.width, roi.height});
  if (!geometry.mask.empty()) json["mask"] = mask_to_json(geometry.mask);
  return json;
}

Geometry geometry_from_json(const Json& json) {
  Geometry geometry{parse_geometry(json.at("mode").get<std::string>()), size_from_json(json.at("input")),
                    size_from_json(json.at("fitted_frame"))};
  if (json.contains("roi")) {
    const Json& roi = json.at("roi");
    geometry.roi = {roi.at(0).get<int>(), roi.at(1).get<int>(), roi.at(2).get<int>(), roi.at(3).get<int>()};
  }
  if (json.contains("mask")) geometry.mask = mask_from_json(json.at("mask"), geometry.input);
  return geometry;
}

bool lies_in(const Rectangle& roi, Size frame) {
  const bool none = roi == Rectangle{};
  return none || (roi.x >= 0 && roi.y >= 0 && roi.width > 0 && roi.height > 0 && roi.width <= frame.width - roi.x &&
                  roi.height <= frame.height - roi.y);
}

template <class Require>
void check(const Calibration& calibration, const Require& require) {
  const auto share = [](double value) { return std::isfinite(value) && value >= 0; };
  require(std::isfinite(calibration.threshold) && calibration.threshold > 0, "threshold");
  require(share(calibration.level), "level");
  require(share(calibration.distinct), "distinct");
  require(share(calibration.order_factor), "order_factor");
  std::size_t learned = 0;
  for (const int size : calibration.stretches) {
    require(size >= 0, "stretches");
    learned += static_cast<std::size_t>(size);
  }
  require(learned <= calibration.scores.size(), "stretches");
}

bool is_ordered(double least, double most, double limit) { return least >= 0 && least <= most && most <= limit; }

bool is_usable(const AppearanceRange& range) {
  return is_ordered(range.least.luma, range.most.luma, 255) &&
         is_ordered(range.least.contrast, range.most.contrast, 128) &&
         is_ordered(range.least.sharpness, range.most.sharpness, std::numeric_limits<double>::max());
}

bool is_usable(const SceneReference& scene) {
  return is_usable(scene.appearance) && scene.longest_still >= 0 && std::isfinite(scene.median_distance) &&
         scene.median_distance >= 0 && scene.segments >= 0 && scene.segments <= kMostSceneSegments && scene.frames >= 0;
}

// Bounds that keep a hostile file from asking for absurd memory or dividing by zero.
void check(const ModelInfo& info) {
  const auto require = [](bool ok, const char* field) {
    if (!ok) throw std::out_of_range(std::string("'") + field + "' is outside its range");
  };
  const auto sane = [](Size size, int maximum) {
    return size.width > 0 && size.height > 0 && size.width <= maximum && size.height <= maximum;
  };
  require(sane(info.positions, 4096), "positions");
  require(sane(info.geometry.input, 4096), "input");
  require(sane(info.geometry.fitted_frame, 1 << 20), "fitted_frame");
  require(lies_in(info.geometry.roi, info.geometry.fitted_frame), "roi");
  require(info.dimensions > 0 && info.dimensions <= (1 << 16), "dimensions");
  const std::size_t picked = is_projection(info.reduction.kind) ? 0 : static_cast<std::size_t>(info.dimensions);
  require(info.reduction.channels.size() == picked, "channels");
  require(!info.taps.empty() && info.taps.size() <= 64, "taps");
  for (const TapInfo& tap : info.taps) {
    require(tap.channels > 0 && tap.channels <= (1 << 16) && tap.stride > 0 && tap.stride <= 256, "taps");
  }
  require(kPrior.contains(info.prior), "prior");
  require(kAugment.contains(info.augment) && info.augment >= 0, "augment");
  require(kSearchRadius.contains(info.search_radius), "search_radius");
  require(info.sample_bits == 0 || kSampleBits.contains(info.sample_bits), "sample_bits");
  require(std::isfinite(info.epsilon) && info.epsilon > 0, "epsilon");
  check(info.calibration, require);
  require(info.frames >= 2, "frames");
  require(!info.scene || is_usable(*info.scene), "scene");
}

}  // namespace

Json info_to_json(const ModelInfo& info) {
  Json json = {{"backbone", info.backbone},
               {"weights_sha256", info.weights_sha256},
               {"taps", taps_to_json(info.taps)},
               {"grid", to_string(info.grid)},
               {"reduction",
                {{"kind", to_string(info.reduction.kind)},
                 {"seed", info.reduction.seed},
                 {"channels", info.reduction.channels}}},
               {"geometry", geometry_to_json(info.geometry)},
               {"positions", size_to_json(info.positions)},
               {"dimensions", info.dimensions},
               {"epsilon", info.epsilon},
               {"relative_epsilon", info.relative_epsilon},
               {"prior", info.prior},
               {"search_radius", info.search_radius},
               {"augment", info.augment},
               {"augment_kind", to_string(info.augment_kind)},
               {"frames", info.frames},
               {"calibration", calibration_to_json(info.calibration)},
               {"examination", examination_to_json(info.examination)},
               {"sources", info.sources}};
  if (info.sample_bits != 0) json["sample_bits"] = info.sample_bits;
  if (info.scene) json["scene"] = scene_to_json(*info.scene);
  return json;
}

ModelInfo info_from_json(const Json& json) {
  ModelInfo info;
  json.at("backbone").get_to(info.backbone);
  json.at("weights_sha256").get_to(info.weights_sha256);
  info.taps = taps_from_json(json.at("taps"));
  info.grid = parse_grid(json.at("grid").get<std::string>());
  const Json& reduction = json.at("reduction");
  info.reduction = {parse_reduction(reduction.at("kind").get<std::string>()), reduction.at("seed").get<std::uint64_t>(),
                    reduction.at("channels").get<std::vector<int>>()};
  info.geometry = geometry_from_json(json.at("geometry"));
  info.positions = size_from_json(json.at("positions"));
  json.at("dimensions").get_to(info.dimensions);
  json.at("epsilon").get_to(info.epsilon);
  json.at("relative_epsilon").get_to(info.relative_epsilon);
  info.prior = json.value("prior", 0.0);
  json.at("search_radius").get_to(info.search_radius);
  info.augment = json.value("augment", 0);
  info.augment_kind = parse_augment_kind(json.value("augment_kind", "light"));
  info.sample_bits = json.value("sample_bits", 0);
  json.at("frames").get_to(info.frames);
  info.calibration = calibration_from_json(json.at("calibration"));
  if (json.contains("examination")) info.examination = examination_from_json(json.at("examination"));
  if (json.contains("sources")) json.at("sources").get_to(info.sources);
  if (json.contains("scene")) info.scene = scene_from_json(json.at("scene"));
  check(info);
  return info;
}

}  // namespace padim
