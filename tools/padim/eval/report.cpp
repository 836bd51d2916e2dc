#include "eval/report.h"

#include <glib.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <memory>
#include <string>
#include <tuple>

#include "eval/figures.h"
#include "eval/operating_rows.h"
#include "eval/plots.h"
#include "eval/report_page.h"
#include "io/file_io.h"

namespace padim::tool {
namespace {

std::string taken(gchar* text) {
  const std::unique_ptr<gchar, decltype(&g_free)> owner(text, g_free);
  return text;
}

// The page is UTF-8, which names of files need not be.
std::string escaped(const std::string& text) {
  const std::string valid = taken(g_utf8_make_valid(text.data(), static_cast<gssize>(text.size())));
  return taken(g_markup_escape_text(valid.c_str(), -1));
}

// As part of an address.
std::string percent_encoded(const std::filesystem::path& path) {
  return taken(g_uri_escape_string(path.c_str(), "/", FALSE));
}

std::string base64(std::span<const std::uint8_t> bytes) { return taken(g_base64_encode(bytes.data(), bytes.size())); }

std::string embedded(std::span<const std::uint8_t> image, const char* type, const std::string& description) {
  return std::string("<img loading=\"lazy\" src=\"data:image/") + type + ";base64," + base64(image) + "\" alt=\"" +
         escaped(description) + "\">";
}

std::string number(std::optional<double> value, const char* format) {
  char text[32] = "-";
  if (value) std::snprintf(text, sizeof text, format, *value);
  return text;
}

std::string header(const std::string& title, const char* kind = "") {
  return std::string("<th scope=\"col\" class=\"") + kind + "\"><button>" + title + "</button></th>";
}

std::string cell(const std::string& text, const char* kind = "") {
  return std::string("<td class=\"") + kind + "\">" + text + "</td>";
}

/// How an image was judged, the worst first.
enum class Verdict { missed, false_alarm, found, passed };
constexpr std::array kVerdicts = {"missed", "false alarm", "found", "passed"};
constexpr std::array kVerdictClasses = {"missed", "false-alarm", "found", "passed"};

struct Row {
  const ClassResult* result;
  const ImageResult* image;
  const ImagePicture* picture;
  double ratio;  // of the raw score to the threshold
  Verdict verdict;

  // Misses far below the threshold first, then false alarms far above it, then what was decided narrowly.
  [[nodiscard]] std::tuple<int, double> rank() const {
    if (verdict == Verdict::missed) return {0, ratio};
    if (verdict == Verdict::false_alarm) return {1, -ratio};
    return {2, std::abs(std::log(std::max(ratio, 1e-9)))};
  }
};

double image_threshold(const ClassResult& result) { return result.threshold.value_or(result.image.best_f1_threshold); }

Verdict verdict_of(const ImageResult& image, double threshold) {
  const bool alarm = image.raw_score >= threshold;
  if (image.source.anomalous()) return alarm ? Verdict::found : Verdict::missed;
  return alarm ? Verdict::false_alarm : Verdict::passed;
}

std::vector<Row> rows_of(std::span<const ClassResult> results, std::span<const std::vector<ImagePicture>> pictures) {
  std::vector<Row> rows;
  for (std::size_t c = 0; c < results.size(); ++c) {
    const double threshold = image_threshold(results[c]);
    for (std::size_t i = 0; i < results[c].images.size(); ++i) {
      const ImageResult& image = results[c].images[i];
      rows.push_back({&results[c], &image, &pictures[c][i], threshold > 0 ? image.raw_score / threshold : 0,
                      verdict_of(image, threshold)});
    }
  }
  std::ranges::stable_sort(rows, {}, &Row::rank);
  return rows;
}

std::string term(const char* name, const std::string& value) {
  return std::string("<dt>") + name + "</dt><dd>" + value + "</dd>\n";
}

std::string protocol_text(Protocol protocol) {
  return protocol == Protocol::official
             ? "official: every image against its ground truth at full resolution; the threshold is label-free, from "
               "normal training images only"
             : "reference: the published implementation's, at network-input size; the threshold is that of the best F1 "
               "on the test images";
}

std::string model_text(const ClassResult& result) {
  const ModelInfo& model = result.model;
  if (result.fusion == Fusion::sum)
    return "sum of the score maps of one model per tap; network input " + to_string(model.geometry.input);
  std::string taps;
  for (const TapInfo& tap : model.taps) taps += (taps.empty() ? "" : ", ") + tap.name;
  return escaped(taps) + "; grid " + to_string(model.positions) + "; reduction " + to_string(model.reduction.kind) +
         ", " + std::to_string(model.dimensions) + " dimensions; epsilon " + number(model.epsilon, "%.4g") +
         "; search radius " + std::to_string(model.search_radius) + "; geometry " + to_string(model.geometry.mode) +
         ", network input " + to_string(model.geometry.input);
}

std::string introduction(const EvaluationSummary& summary, std::span<const ClassResult> results) {
  std::string text = "<h1>Evaluation with padim</h1>\n<dl>\n" + term("data", escaped(summary.data)) +
                     term("protocol", protocol_text(summary.protocol)) +
                     term("backbone", escaped(summary.backbone.name) + ", " + summary.backbone.precision + " on " +
                                          escaped(summary.backbone.device));
  if (!results.empty()) text += term("model", model_text(results.front()));
  return text + "</dl>\n";
}

std::string figure_cells(std::span<const ClassResult> results, bool of_mean) {
  std::string text;
  for (const Figure& figure : figures()) {
    text += cell(number(of_mean ? mean(figure, results) : figure.of(results.front()), "%.3f"));
  }
  return text;
}

std::string summary_table(std::span<const ClassResult> results) {
  std::string text = "<h2>Figures</h2>\n<div class=\"scroll\"><table class=\"sortable\" id=\"figures\">\n<thead><tr>" +
                     header("class", "text") + header("good") + header("bad");
  for (const Figure& figure : figures()) text += header(std::string(figure.group) + "<br>" + figure.title);
  text += "</tr></thead>\n<tbody>\n";
  for (std::size_t i = 0; i < results.size(); ++i) {
    const ClassResult& result = results[i];
    text += "<tr>" + cell(escaped(result.name), "text") + cell(std::to_string(result.image.normal)) +
            cell(std::to_string(result.image.anomalous)) + figure_cells(results.subspan(i, 1), false) + "</tr>\n";
  }
  return text + "</tbody>\n<tfoot><tr>" + cell("mean", "text") + cell("") + cell("") + figure_cells(results, true) +
         "</tr></tfoot>\n</table></div>\n";
}

std::string counted(std::int64_t part, std::int64_t whole) {
  if (whole == 0) return cell("-") + cell("-");
  return cell(std::to_string(part)) + cell(number(static_cast<double>(part) / static_cast<double>(whole), "%.3f"));
}

std::string operating_row(const ClassResult& result, const OperatingRow& row) {
  const OperatingPoint& point = row.point;
  const std::string rate = number(point.rate, "%g") + (point.extrapolated ? " *" : "");
  return "<tr>" + cell(escaped(result.name), "text") + cell(point.in_force ? "yes" : "", "text") + cell(rate) +
         cell(number(point.threshold, "%.2f")) + cell(number(row.held_out_share, "%.3f")) +
         counted(row.alarms.false_alarms, result.image.normal) + counted(row.alarms.missed, result.image.anomalous) +
         "</tr>\n";
}

// Nothing where no class has a label-free threshold.
std::string operating_table(std::span<const ClassResult> results) {
  std::string rows;
  for (const ClassResult& result : results) {
    for (const OperatingRow& row : operating_rows(result)) rows += operating_row(result, row);
  }
  if (rows.empty()) return "";
  return "<h2>What thresholds cost</h2>\n"
         "<p class=\"note\">Thresholds that the fit's own held-out scores reach at a rate, and what they do to the "
         "test images. * extrapolated: there are too few held-out scores to measure the rate.</p>\n"
         "<div class=\"scroll\"><table class=\"sortable\" id=\"operating\">\n<thead><tr>" +
         header("class", "text") + header("in force", "text") + header("rate<br>to expect") +
         header("raw<br>threshold") + header("held out<br>share") + header("false<br>alarms") + header("<br>share") +
         header("defects<br>missed") + header("<br>share") + "</tr></thead>\n<tbody>\n" + rows +
         "</tbody>\n</table></div>\n";
}

std::string masks_note(std::span<const ClassResult> results) {
  if (std::ranges::all_of(results, &ClassResult::masks)) return "";
  std::string names;
  for (const ClassResult& result : results) {
    if (!result.masks) names += (names.empty() ? "" : ", ") + escaped(result.name);
  }
  return "<p class=\"note\">Without masks, figures of images only: " + names + ".</p>\n";
}

// The plot in that file, embedded; nothing where it was not made.
std::string plot(const std::filesystem::path& file, const std::string& description) {
  return std::filesystem::exists(file) ? embedded(read_file(file), "png", description) + "\n" : "";
}

std::string plots(const std::filesystem::path& save, std::span<const ClassResult> results) {
  const std::string curves = plot(save / "roc_curve.png", "ROC curves") + plot(save / "pro_curve.png", "PRO curves");
  std::string histograms;
  for (const ClassResult& result : results) {
    histograms += plot(save / histogram_file(result), "scores of the test images of " + result.name);
  }
  if (histograms.empty()) {
    return "<h2>Curves</h2>\n<p class=\"note\">No plots: gnuplot was not there when this report was made.</p>\n";
  }
  // Many of them would hide what comes after.
  const char* state = results.size() > 2 ? "" : " open";
  return "<h2>Curves</h2>\n<div class=\"plots\">\n" + curves + "</div>\n<details" + state +
         "><summary>Scores of the test images</summary>\n<div class=\"plots\">\n" + histograms + "</div></details>\n";
}

std::string image_row(const Row& row) {
  const auto kind = static_cast<std::size_t>(row.verdict);
  const std::string name = escaped(row.result->name);
  return "<tr data-verdict=\"" + std::string(kVerdictClasses[kind]) + "\" data-name=\"" + name +
         "\"><td class=\"text\"><a href=\"" + percent_encoded(row.picture->file) + "\">" +
         embedded(row.picture->thumbnail, "jpeg", "image, ground truth, heat map, mask, segmentation") + "</a></td>" +
         "<td class=\"text " + kVerdictClasses[kind] + "\">" + kVerdicts[kind] + "</td>" + cell(name, "text") +
         cell(escaped(row.image->source.defect), "text") +
         cell(escaped(row.image->source.image.filename().string()), "text file") +
         cell(number(row.image->raw_score, "%.2f")) + cell(number(row.ratio, "%.3f")) + "</tr>\n";
}

std::string filter_button(const char* verdict, const std::string& title, bool pressed) {
  return std::string("<button data-verdict=\"") + verdict + "\" aria-pressed=\"" + (pressed ? "true" : "false") +
         "\">" + title + "</button>\n";
}

std::string controls(std::span<const Row> rows, std::span<const ClassResult> results) {
  std::string text = "<div class=\"controls\">\n" + filter_button("", "all " + std::to_string(rows.size()), true);
  for (std::size_t kind = 0; kind < kVerdicts.size(); ++kind) {
    const auto count = std::ranges::count(rows, static_cast<Verdict>(kind), &Row::verdict);
    text += filter_button(kVerdictClasses[kind], kVerdicts[kind] + (" " + std::to_string(count)), false);
  }
  if (results.size() > 1) {
    text += "<select id=\"class-filter\" aria-label=\"class\"><option value=\"\">all classes</option>";
    for (const ClassResult& result : results) text += "<option>" + escaped(result.name) + "</option>";
    text += "</select>\n";
  }
  return text + "</div>\n";
}

std::string image_table(std::span<const ClassResult> results, std::span<const std::vector<ImagePicture>> pictures) {
  const std::vector<Row> rows = rows_of(results, pictures);
  const bool calibrated = std::ranges::all_of(results, [](const ClassResult& r) { return r.threshold.has_value(); });
  std::string text =
      "<h2>Test images, the worst first</h2>\n<p class=\"note\">" +
      std::string(calibrated
                      ? "Judged at the label-free threshold of each class. "
                      : "Judged at the threshold of each class's best F1 on its images, which labels have chosen. ") +
      "Each picture shows image, ground truth, heat map, mask and segmentation, and leads to the large one beside this "
      "page.</p>\n" +
      controls(rows, results) +
      "<div class=\"scroll\"><table class=\"sortable\" id=\"images\">\n<thead><tr><th class=\"text\">picture</th>" +
      header("verdict", "text") + header("class", "text") + header("kind", "text") + header("file", "text") +
      header("raw score") + header("of threshold") + "</tr></thead>\n<tbody>\n";
  for (const Row& row : rows) text += image_row(row);
  return text + "</tbody>\n</table></div>\n";
}

}  // namespace

void write_report(const std::filesystem::path& save, const EvaluationSummary& summary,
                  std::span<const ClassResult> results, std::span<const std::vector<ImagePicture>> pictures) {
  const std::string page = kReportHead + introduction(summary, results) + summary_table(results) + masks_note(results) +
                           operating_table(results) + plots(save, results) + image_table(results, pictures) +
                           kReportScript;
  write_text(save / "report.html", page);
}

}  // namespace padim::tool
