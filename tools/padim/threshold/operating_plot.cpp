#include "threshold/operating_plot.h"

#include <algorithm>
#include <string>

#include "io/file_io.h"
#include "io/gnuplot.h"
#include "io/own_picture.h"
#include "padim/error.h"

namespace padim::tool {
namespace {

// Shares are drawn by their logarithm; what is less than any that can be chosen lies on the lower edge.
constexpr double kLeastShare = 5e-4;

std::string point(double threshold, double share) {
  return gnuplot_number(threshold) + " " + gnuplot_number(std::max(share, kLeastShare)) + "\n";
}

// The steps of a share that changes at each score; `count` scores belong to a threshold.
template <class Count>
std::string steps(const char* name, const ScoreSet& scores, double end, const Count& count) {
  const auto share = [&](double t) { return static_cast<double>(count(t)) / static_cast<double>(scores.size()); };
  std::string block = std::string(name) + " << EOD\n" + point(0, share(0));
  for (const float score : scores.sorted())
    block += point(static_cast<double>(score), share(static_cast<double>(score)));
  return block + point(end, share(end)) + "EOD\n";
}

std::string blocks(const OperatingCurve& curve, double end) {
  const auto alarms = [&](double t) { return curve.held_out.at_or_above(t); };
  const auto missed = [&](double t) { return curve.defects->below(t); };
  std::string text = steps("$alarms", curve.held_out, end, alarms);
  if (curve.defects) text += steps("$missed", *curve.defects, end, missed);
  text += "$expected << EOD\n";
  for (const OperatingPoint& p : curve.points) text += p.rate ? point(p.threshold, *p.rate) : "";
  return text + "EOD\n";
}

double end_of(const OperatingCurve& curve) {
  constexpr double kMargin = 1.05;
  const auto last = [](const ScoreSet& scores) { return static_cast<double>(scores.sorted().back()); };
  const double end = std::max(curve.points.back().threshold, last(curve.held_out));
  return kMargin * (curve.defects ? std::max(end, last(*curve.defects)) : end);
}

std::string script(const OperatingCurve& curve, const std::filesystem::path& file) {
  const std::string in_force =
      gnuplot_number(std::ranges::find(curve.points, true, &OperatingPoint::in_force)->threshold);
  const double end = end_of(curve);
  const std::string line = "linewidth 2 dashtype 2 linecolor rgb '#222222'";
  return gnuplot_png(file, 720, 480) + blocks(curve, end) + "set title 'What a threshold costs'\nset grid\n" +
         "set xlabel 'threshold (raw score)'\nset ylabel 'share of the frames'\nset logscale y\nset yrange [" +
         gnuplot_number(kLeastShare) + ":1.1]\nset xrange [0:" + gnuplot_number(end) +
         "]\nset key below maxcols 2\nset bmargin 6.5\nset arrow from " + in_force + ", graph 0 to " + in_force +
         ", graph 1 nohead front " + line +
         "\nplot $alarms using 1:2 with fsteps linewidth 2 linecolor rgb '#2ca02c' title 'false alarms, held out', " +
         (curve.defects ? "$missed using 1:2 with fsteps linewidth 2 linecolor rgb '#d62728' title 'defects missed', "
                        : "") +
         "$expected using 1:2 with points pointtype 6 linecolor rgb '#1f77b4' title 'false alarms to expect', " +
         "keyentry with lines " + line + " title 'in force'\nunset output\n";
}

}  // namespace

void check_operating_plot(const std::filesystem::path& file) {
  if (lower_extension(file) != "png") {
    throw Error(ErrorCode::invalid_argument,
                "curves are drawn as PNG: give " + in_quotes(file) + " the extension .png");
  }
  check_folder_of(file);
  if (run_gnuplot("") == GnuplotResult::absent) {
    throw Error(ErrorCode::unsupported, "cannot draw " + in_quotes(file) + ": " + kNoGnuplot);
  }
}

void write_operating_plot(const OperatingCurve& curve, const std::filesystem::path& file) {
  if (run_gnuplot(script(curve, file)) == GnuplotResult::done) return sign_picture(file);
  throw Error(ErrorCode::cannot_write, "cannot draw " + in_quotes(file) + ": gnuplot failed");
}

}  // namespace padim::tool
