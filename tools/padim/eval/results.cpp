#include "eval/results.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "eval/figures.h"
#include "eval/operating_rows.h"
#include "io/file_io.h"

namespace padim::tool {
namespace {

using Json = nlohmann::ordered_json;

Json optional(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

Json settings_of(const ModelInfo& model) {
  Json taps = Json::array();
  for (const TapInfo& tap : model.taps) taps.push_back(tap.name);
  return {{"taps", taps},
          {"grid", to_string(model.grid)},
          {"positions", {model.positions.width, model.positions.height}},
          {"reduction", to_string(model.reduction.kind)},
          {"dimensions", model.dimensions},
          {"seed", model.reduction.seed},
          {"epsilon", model.epsilon},
          {"relative_epsilon", model.relative_epsilon},
          {"search_radius", model.search_radius},
          {"geometry", to_string(model.geometry.mode)},
          {"input", {model.geometry.input.width, model.geometry.input.height}}};
}

Json column(const RankingQuality& quality, double CurvePoint::*value) {
  Json values = Json::array();
  for (const CurvePoint& point : quality.curve) values.push_back(point.*value);
  return values;
}

Json curve_of(const RankingQuality& quality) {
  return {{"false_positive_rate", column(quality, &CurvePoint::false_positive_rate)},
          {"true_positive_rate", column(quality, &CurvePoint::true_positive_rate)}};
}

Json images_of(const ClassResult& result) {
  Json images = Json::array();
  for (const ImageResult& image : result.images) {
    Json entry = {{"file", image.source.image.string()},
                  {"defect", image.source.defect},
                  {"anomalous", image.source.anomalous()},
                  {"raw_score", image.raw_score}};
    if (result.threshold) entry["alarm"] = image.raw_score >= *result.threshold;
    images.push_back(std::move(entry));
  }
  return images;
}

// Nothing is missed where there is nothing to be missed.
Json share(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? Json(nullptr) : Json(static_cast<double>(part) / static_cast<double>(whole));
}

Json operating_points_of(const ClassResult& result) {
  Json points = Json::array();
  for (const OperatingRow& row : operating_rows(result)) {
    points.push_back({{"expected_false_alarm_rate", optional(row.point.rate)},
                      {"extrapolated", row.point.extrapolated},
                      {"in_force", row.point.in_force},
                      {"threshold", row.point.threshold},
                      {"held_out_rate", row.held_out_share},
                      {"false_alarms", row.alarms.false_alarms},
                      {"false_alarm_rate", share(row.alarms.false_alarms, result.image.normal)},
                      {"missed", row.alarms.missed},
                      {"missed_rate", share(row.alarms.missed, result.image.anomalous)}});
  }
  return points;
}

Json figures_of(const ClassResult& result) {
  Json entry = {{"class", result.name},
                {"training_images", result.training},
                {"left_out", result.left_out},
                {"normal_images", result.image.normal},
                {"anomalous_images", result.image.anomalous},
                {"masks", result.masks},
                {"defects", result.pixel.defects}};
  for (const Figure& figure : figures()) entry[figure.key] = optional(figure.of(result));
  entry["threshold"] = optional(result.threshold);
  entry["wanted_false_alarm_rate"] =
      result.threshold ? optional(result.model.calibration.false_alarm_rate) : Json(nullptr);
  entry["pixel_f1_threshold"] = result.masks ? Json(result.pixel.best_f1_threshold) : Json(nullptr);
  entry["seen_share_of_defects"] = result.masks ? Json(result.seen) : Json(nullptr);
  entry["fit_seconds"] = result.fit_seconds;
  entry["test_seconds"] = result.test_seconds;
  entry["fusion"] = to_string(result.fusion);
  entry["model"] = settings_of(result.model);
  return entry;
}

Json class_of(const ClassResult& result) {
  Json entry = figures_of(result);
  entry["operating_points"] = operating_points_of(result);
  entry["images"] = images_of(result);
  entry["image_curve"] = curve_of(result.image);
  entry["pixel_curve"] = curve_of(result.pixel);
  entry["pixel_curve"]["region_overlap"] = column(result.pixel, &CurvePoint::region_overlap);
  return entry;
}

Json mean_of(std::span<const ClassResult> results) {
  Json entry;
  for (const Figure& figure : figures()) entry[figure.key] = optional(mean(figure, results));
  return entry;
}

Json summary_of(const EvaluationSummary& summary) {
  return {{"data", summary.data},
          {"protocol", to_string(summary.protocol)},
          {"backbone", summary.backbone.name},
          {"weights_sha256", summary.backbone.weights_sha256},
          {"precision", summary.backbone.precision},
          {"device", summary.backbone.device}};
}

void write_json(const std::filesystem::path& file, const Json& json) {
  // File names need not be UTF-8.
  write_text(file, json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

// Quoted where commas, quotes or line breaks would tear it apart.
std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char letter : text) quoted += letter == '"' ? std::string("\"\"") : std::string(1, letter);
  return quoted + "\"";
}

std::string csv_number(const std::optional<double>& value) {
  char text[32] = "";
  if (value) std::snprintf(text, sizeof text, "%.6f", *value);
  return text;
}

std::string csv_header() {
  std::string text = "class,training_images,normal_images,anomalous_images,defects";
  for (const Figure& figure : figures()) text += std::string(",") + figure.key;
  return text + "\n";
}

// One line per class and one for the mean, each after `prefix`.
std::string csv_lines(const std::string& prefix, std::span<const ClassResult> results) {
  std::string text;
  for (const ClassResult& result : results) {
    text += prefix + csv_field(result.name);
    for (const std::int64_t count :
         {result.training, result.image.normal, result.image.anomalous, result.pixel.defects}) {
      text += "," + std::to_string(count);
    }
    for (const Figure& figure : figures()) text += "," + csv_number(figure.of(result));
    text += "\n";
  }
  text += prefix + "mean,,,,";
  for (const Figure& figure : figures()) text += "," + csv_number(mean(figure, results));
  return text + "\n";
}

}  // namespace

void write_results_json(const std::filesystem::path& file, const EvaluationSummary& summary,
                        std::span<const ClassResult> results) {
  Json json = summary_of(summary);
  json["mean"] = mean_of(results);
  json["classes"] = Json::array();
  for (const ClassResult& result : results) json["classes"].push_back(class_of(result));
  write_json(file, json);
}

void write_results_csv(const std::filesystem::path& file, std::span<const ClassResult> results) {
  write_text(file, csv_header() + csv_lines("", results));
}

void write_ablation(const std::filesystem::path& save, const EvaluationSummary& summary,
                    std::span<const ConfigurationResults> configurations) {
  Json json = summary_of(summary);
  std::string csv = "table,configuration," + csv_header();
  for (const ConfigurationResults& one : configurations) {
    Json entry = {{"table", one.table}, {"name", one.name}, {"mean", mean_of(one.results)}};
    for (const ClassResult& result : one.results) entry["classes"].push_back(figures_of(result));
    json["configurations"].push_back(std::move(entry));
    csv += csv_lines(csv_field(one.table) + "," + csv_field(one.name) + ",", one.results);
  }
  write_json(save / "ablation.json", json);
  write_text(save / "ablation.csv", csv);
}

}  // namespace padim::tool
