#include "eval/figures.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

namespace padim::tool {
namespace {

std::optional<double> share(std::int64_t part, std::int64_t whole, bool defined) {
  if (!defined || whole == 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(whole);
}

constexpr std::array kFigures = {
    Figure{"image_auroc", "image", "AUROC", [](const ClassResult& r) { return r.image.auroc; }},
    Figure{"image_ap", "image", "AP", [](const ClassResult& r) { return r.image.average_precision; }},
    Figure{"image_f1", "image", "F1", [](const ClassResult& r) { return r.image.best_f1; }},
    Figure{"pixel_auroc", "pixel", "AUROC", [](const ClassResult& r) { return r.pixel.auroc; }},
    Figure{"pixel_ap", "pixel", "AP", [](const ClassResult& r) { return r.pixel.average_precision; }},
    Figure{"pixel_f1", "pixel", "F1", [](const ClassResult& r) { return r.pixel.best_f1; }},
    Figure{"aupro_30", "AU-PRO", "0.3", [](const ClassResult& r) { return r.pixel.aupro_30; }},
    Figure{"aupro_05", "AU-PRO", "0.05", [](const ClassResult& r) { return r.pixel.aupro_05; }},
    Figure{"false_alarm_rate", "at threshold", "false",
           [](const ClassResult& r) { return share(r.alarms.false_alarms, r.image.normal, r.threshold.has_value()); }},
    Figure{"missed_rate", "at threshold", "missed",
           [](const ClassResult& r) { return share(r.alarms.missed, r.image.anomalous, r.threshold.has_value()); }},
};

constexpr std::size_t kColumn = 7;
constexpr std::size_t kCounts = 13;  // "  good   bad"

std::string padded_left(const std::string& text, std::size_t width) {
  return std::string(width - std::min(width, text.size()), ' ') + text;
}

std::string padded_right(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

}  // namespace

std::span<const Figure> figures() { return kFigures; }

std::optional<double> mean(const Figure& figure, std::span<const ClassResult> results) {
  double sum = 0;
  int count = 0;
  for (const ClassResult& result : results) {
    if (const auto value = figure.of(result)) {
      sum += *value;
      ++count;
    }
  }
  if (count == 0) return std::nullopt;
  return sum / count;
}

ResultTable::ResultTable(std::span<const std::string> names) : width_(5) {
  for (const std::string& name : names) width_ = std::max(width_, name.size());
}

std::string ResultTable::header() const {
  std::string groups = std::string(width_ + kCounts, ' ');
  std::string titles = padded_right("class", width_) + padded_left("good", 7) + padded_left("bad", 6);
  const char* last = "";
  std::size_t end = groups.size();
  for (const Figure& figure : kFigures) {
    if (std::string_view(figure.group) != last) groups = padded_right(groups, end) + "  " + (last = figure.group);
    titles += padded_left(figure.title, kColumn);
    end += kColumn;
  }
  return groups + "\n" + titles + "\n";
}

std::string ResultTable::line(const std::string& name, const std::string& counts,
                              std::span<const std::optional<double>> values) const {
  std::string text = padded_right(name, width_) + padded_left(counts, kCounts);
  for (const auto& value : values) {
    char number[16] = "-";
    if (value) std::snprintf(number, sizeof number, "%.3f", *value);
    text += padded_left(number, kColumn);
  }
  return text + "\n";
}

std::string ResultTable::row(const ClassResult& result) const {
  std::vector<std::optional<double>> values;
  for (const Figure& figure : kFigures) values.push_back(figure.of(result));
  return line(result.name, std::to_string(result.image.normal) + padded_left(std::to_string(result.image.anomalous), 6),
              values);
}

std::string ResultTable::mean_row(std::span<const ClassResult> results, const std::string& name) const {
  std::vector<std::optional<double>> values;
  for (const Figure& figure : kFigures) values.push_back(mean(figure, results));
  return line(name, "", values);
}

}  // namespace padim::tool
