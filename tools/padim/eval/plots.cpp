#include "eval/plots.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "eval/figures.h"
#include "io/file_io.h"
#include "io/gnuplot.h"
#include "io/own_picture.h"
#include "terminal/progress.h"

namespace padim::tool {
namespace {

// Fifteen classes need fifteen colours that differ.
constexpr std::array kColours = {"#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f",
                                 "#bcbd22", "#17becf", "#0b3d91", "#b35900", "#145214", "#7a0019", "#4b2e83"};
constexpr int kBins = 40;

std::string fixed(std::optional<double> value) {
  char text[16] = "-";
  if (value) std::snprintf(text, sizeof text, "%.3f", *value);
  return text;
}

std::string colour(std::size_t i) { return gnuplot_string(kColours[i % kColours.size()]); }

/// One line of a plot with a curve per class.
struct Curve {
  std::string title;
  const std::vector<CurvePoint>* points;
};

using Coordinate = double CurvePoint::*;

// A gnuplot data block for each curve, and the command that plots them.
std::string plot(const std::string& name, const std::vector<Curve>& curves, Coordinate y) {
  std::string blocks;
  std::string command = "plot ";
  for (std::size_t i = 0; i < curves.size(); ++i) {
    const std::string block = "$" + name + std::to_string(i);
    blocks += block + " << EOD\n";
    for (const CurvePoint& point : *curves[i].points) {
      blocks += gnuplot_number(point.false_positive_rate) + " " + gnuplot_number(point.*y) + "\n";
    }
    blocks += "EOD\n";
    command += (i > 0 ? ", " : "") + block + " using 1:2 with lines linewidth 1.5 linecolor rgb " + colour(i) +
               " title " + gnuplot_string(curves[i].title);
  }
  return blocks + command + "\n";
}

template <class Quality, class Value>
std::vector<Curve> curves_of(std::span<const ClassResult> results, const Quality& quality, const Value& value) {
  std::vector<Curve> curves;
  for (const ClassResult& result : results) {
    const RankingQuality& measured = quality(result);
    if (!measured.curve.empty()) curves.push_back({result.name + "  " + fixed(value(measured)), &measured.curve});
  }
  return curves;
}

std::string panel(const std::string& title, const std::string& name, const std::vector<Curve>& curves, Coordinate y) {
  if (curves.empty()) return "";
  return "set title " + gnuplot_string(title) + "\n" + plot(name, curves, y);
}

std::string roc_script(std::span<const ClassResult> results, const std::filesystem::path& save) {
  const auto auroc = [](const RankingQuality& quality) { return quality.auroc; };
  const auto images = curves_of(
      results, [](const ClassResult& r) -> const auto& { return r.image; }, auroc);
  const auto pixels = curves_of(
      results, [](const ClassResult& r) -> const auto& { return r.pixel; }, auroc);
  if (images.empty() && pixels.empty()) return "";
  const int panels = images.empty() || pixels.empty() ? 1 : 2;
  return gnuplot_png(save / "roc_curve.png", 600 * panels, 620) + "set multiplot layout 1," + std::to_string(panels) +
         "\nset size square\nset grid\nset key bottom right box opaque\n"
         "set xrange [0:1]\nset yrange [0:1.02]\nset xlabel 'false-positive rate'\nset ylabel 'true-positive rate'\n" +
         panel("Images: ROC curve and AUROC", "image", images, &CurvePoint::true_positive_rate) +
         panel("Pixels: ROC curve and AUROC", "pixel", pixels, &CurvePoint::true_positive_rate) +
         "unset multiplot\nunset output\nreset\n";
}

std::string pro_script(std::span<const ClassResult> results, const std::filesystem::path& save) {
  const auto curves = curves_of(
      results, [](const ClassResult& r) -> const auto& { return r.pixel; },
      [](const RankingQuality& quality) { return quality.aupro_30; });
  if (curves.empty()) return "";
  return gnuplot_png(save / "pro_curve.png", 720, 620) +
         "set size square\nset grid\nset key bottom right box opaque\nset xrange [0:0.3]\nset yrange [0:1.02]\n"
         "set xlabel 'false-positive rate'\nset ylabel 'mean overlap of the defects'\n"
         "set arrow from 0.05, graph 0 to 0.05, graph 1 nohead dashtype 2 linecolor rgb '#555555'\n" +
         panel("PRO curve and AU-PRO up to 0.3", "pro", curves, &CurvePoint::region_overlap) + "unset output\nreset\n";
}

/// How many images of each kind have a score in each bin.
struct Histogram {
  double low = 0;
  double step = 1;
  std::array<int, kBins> normal{};
  std::array<int, kBins> anomalous{};
};

Histogram histogram_of(const ClassResult& result) {
  const auto [low, high] = std::ranges::minmax(result.images, {}, &ImageResult::raw_score);
  Histogram histogram;
  histogram.low = low.raw_score;
  histogram.step = std::max((high.raw_score - low.raw_score) / kBins, 1e-9);
  for (const ImageResult& image : result.images) {
    const auto bin = static_cast<std::size_t>((image.raw_score - histogram.low) / histogram.step);
    auto& bins = image.source.anomalous() ? histogram.anomalous : histogram.normal;
    ++bins[std::min<std::size_t>(bin, kBins - 1)];
  }
  return histogram;
}

std::string histogram_script(const ClassResult& result, const std::filesystem::path& save) {
  if (result.images.empty()) return "";
  const Histogram histogram = histogram_of(result);
  std::string script = gnuplot_png(save / histogram_file(result), 640, 300) + "$bins << EOD\n";
  for (std::size_t i = 0; i < kBins; ++i) {
    script += gnuplot_number(histogram.low + (static_cast<double>(i) + 0.5) * histogram.step) + " " +
              std::to_string(histogram.normal[i]) + " " + std::to_string(histogram.anomalous[i]) + "\n";
  }
  script += "EOD\n";
  const double threshold = result.threshold.value_or(result.image.best_f1_threshold);
  const double end = histogram.low + kBins * histogram.step;
  const double margin = (std::max(end, threshold) - std::min(histogram.low, threshold)) * 0.03;
  const std::string line = "linewidth 2 dashtype 2 linecolor rgb '#222222'";
  script += "set arrow from " + gnuplot_number(threshold) + ", graph 0 to " + gnuplot_number(threshold) +
            ", graph 1 nohead front " + line + "\nset xrange [" +
            gnuplot_number(std::min(histogram.low, threshold) - margin) + ":" +
            gnuplot_number(std::max(end, threshold) + margin) + "]\nset title " +
            gnuplot_string(result.name + ": raw scores of the test images") +
            "\nset xlabel 'raw image score'\nset ylabel 'images'\nset yrange [0:*]\nset offsets 0, 0, graph 0.08, "
            "0\nset style fill solid 0.6 noborder\n"
            "set boxwidth " +
            gnuplot_number(histogram.step) +
            "\nset key outside right center vertical Left reverse samplen 2\n"
            "plot $bins using 1:2 with boxes linecolor rgb '#2ca02c' title 'normal', "
            "$bins using 1:3 with boxes linecolor rgb '#d62728' title 'anomalous', keyentry with lines " +
            line + " title " + gnuplot_string(result.threshold ? "label-free threshold" : "threshold of the best F1") +
            "\nunset output\nreset\n";
  return script;
}

void sign_plots(std::span<const ClassResult> results, const std::filesystem::path& save) {
  for (const char* name : {"roc_curve.png", "pro_curve.png"}) sign_picture(save / name);
  for (const ClassResult& result : results) sign_picture(save / histogram_file(result));
}

}  // namespace

std::filesystem::path histogram_file(const ClassResult& result) {
  return std::filesystem::path("histograms") / (result.name + ".png");
}

void write_plots(std::span<const ClassResult> results, const std::filesystem::path& save) {
  prepare_folder(save / "histograms");
  std::string script = roc_script(results, save) + pro_script(results, save);
  for (const ClassResult& result : results) script += histogram_script(result, save);
  switch (run_gnuplot(script)) {
    case GnuplotResult::done:
      return sign_plots(results, save);
    case GnuplotResult::absent:
      return notice(std::string("there are no plots, as ") + kNoGnuplot);
    case GnuplotResult::failed:
      return notice("there are no plots, or not all of them: gnuplot failed");
  }
}

}  // namespace padim::tool
