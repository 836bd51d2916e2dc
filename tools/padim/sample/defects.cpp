// Defects of the sample's board. Each is drawn like the thing itself (a scratch bares copper, a clipping throws a
// shadow), and the ground truth is what then differs visibly from the good board: truth and picture cannot disagree.
#include "sample/defects.h"

#include <cmath>
#include <functional>
#include <utility>

#include <opencv2/imgproc.hpp>

#include "sample/board.h"
#include "sample/brush.h"

namespace padim::tool {
namespace {

// Grey levels by which a channel must differ to count as visible over the camera's noise.
constexpr double kVisible = 14;

cv::Mat empty_mask() { return {kBoardSize, CV_8UC1, cv::Scalar(0)}; }

cv::Point2d around(cv::RNG& random, cv::Point2d centre, double reach) {
  return centre + cv::Point2d(random.uniform(-reach, reach), random.uniform(-reach, reach));
}

// A line that wanders: `wander` is the deviation of its heading per step, in radians.
std::vector<cv::Point> wandering_line(cv::RNG& random, cv::Point2d from, double heading, double length, double wander) {
  constexpr double kStep = 9;
  std::vector<cv::Point> line{from};
  for (double walked = 0; walked < length; walked += kStep) {
    heading += random.gaussian(wander);
    from += kStep * cv::Point2d(std::cos(heading), std::sin(heading));
    line.emplace_back(from);
  }
  return line;
}

void draw_line(cv::Mat& canvas, const std::vector<cv::Point>& line, cv::Point offset, int thickness,
               const cv::Scalar& colour) {
  std::vector<cv::Point> moved;
  moved.reserve(line.size());
  for (const cv::Point& point : line) moved.push_back(point + offset);
  cv::polylines(canvas, moved, false, colour, thickness, cv::LINE_AA);
}

void scratch(cv::Mat& canvas, cv::RNG& random) {
  const cv::Point2d from = around(random, {300, 560}, 30);
  const std::vector<cv::Point> line = wandering_line(random, from, -0.45 + random.gaussian(0.1), 250, 0.05);
  draw_line(canvas, line, {1, 2}, 7, {36, 62, 14});
  draw_line(canvas, line, {0, 0}, 5, {98, 150, 196});
  draw_line(canvas, line, {-1, -1}, 2, {150, 196, 228});
}

// An irregular blot: the level set of smooth noise that falls off with the distance from its centre.
cv::Mat blot(cv::RNG& random, cv::Point2d centre, double radius, double raggedness) {
  const cv::Mat noise = smooth_noise(kBoardSize, random.next(), radius / 3.2, radius / 3.2);
  cv::Mat mask = empty_mask();
  const int reach = cvCeil(radius * 2);
  for (int y = cvRound(centre.y) - reach; y <= cvRound(centre.y) + reach; ++y) {
    for (int x = cvRound(centre.x) - reach; x <= cvRound(centre.x) + reach; ++x) {
      if (x < 0 || y < 0 || x >= mask.cols || y >= mask.rows) continue;
      const double distance = cv::norm(cv::Point2d(x, y) - centre) / radius;
      const double level = 1 - distance + raggedness * static_cast<double>(noise.at<float>(y, x));
      mask.at<std::uint8_t>(y, x) = cv::saturate_cast<std::uint8_t>(255 * level * 5);
    }
  }
  return mask;
}

void stain(cv::Mat& canvas, cv::RNG& random) {
  const cv::Mat mask = blot(random, around(random, {830, 470}, 25), 62, 0.22);
  cv::Mat rim;
  cv::morphologyEx(mask, rim, cv::MORPH_GRADIENT, cv::getStructuringElement(cv::MORPH_ELLIPSE, {7, 7}));
  blend(canvas, mask, {120, 176, 186}, 0.42);
  blend(canvas, rim, {40, 74, 92}, 0.4);
}

void burn(cv::Mat& canvas, cv::RNG& random) {
  cv::Mat mask = blot(random, around(random, {965, 410}, 16), 62, 0.12);
  cv::GaussianBlur(mask, mask, {}, 10);
  blend(canvas, mask, {22, 44, 62}, 0.72);
  cv::Mat core = blot(random, around(random, {960, 400}, 8), 24, 0.2);
  cv::GaussianBlur(core, core, {}, 5);
  blend(canvas, core, {12, 14, 18}, 0.8);
}

void foreign_body(cv::Mat& canvas, cv::RNG& random) {
  const cv::Point2d from = around(random, {690, 560}, 20);
  const std::vector<cv::Point> line = wandering_line(random, from, 0.5 + random.gaussian(0.5), 110, 0.22);
  cv::Mat shadow = empty_mask();
  draw_line(shadow, line, {7, 10}, 9, {255});
  cv::GaussianBlur(shadow, shadow, {}, 4);
  blend(canvas, shadow, {8, 10, 8}, 0.65);
  draw_line(canvas, line, {0, 0}, 10, {84, 88, 92});
  draw_line(canvas, line, {-1, -1}, 6, {170, 176, 180});
  draw_line(canvas, line, {-2, -2}, 2, {240, 244, 246});
}

void crack(cv::Mat& canvas, cv::RNG& random) {
  const double x = 990 + random.uniform(-25.0, 25.0);
  const cv::Point2d edge(x, kBoardOutline.y + 2);
  const std::vector<cv::Point> line = wandering_line(random, edge, 1.6, 190, 0.26);
  const std::vector<cv::Point> branch = wandering_line(random, line[line.size() / 2], 0.9, 70, 0.3);
  for (const auto& [path, thickness] : {std::pair(line, 5), std::pair(branch, 3)}) {
    draw_line(canvas, path, {2, 2}, thickness, {132, 176, 150});
    draw_line(canvas, path, {0, 0}, thickness, {14, 26, 10});
  }
}

struct Defect {
  std::string kind;
  std::function<void(cv::RNG&, Assembly&)> assemble;  ///< wrong while the board is built ...
  std::function<void(cv::Mat&, cv::RNG&)> damage;     ///< ... or done to a good one
};

const std::vector<Defect>& defects() {
  static const std::vector<Defect> kDefects = {
      {"scratch", {}, scratch},
      {"missing-part", [](cv::RNG&, Assembly& assembly) { assembly.capacitor_missing = true; }, {}},
      {"stain", {}, stain},
      {"foreign-body", {}, foreign_body},
      {"misplaced-part",
       [](cv::RNG& random, Assembly& assembly) {
         assembly.resonator_angle = random.uniform(16.0, 24.0);
         assembly.resonator_shift = {random.uniform(-4.0, 4.0), random.uniform(6.0, 12.0)};
       },
       {}},
      {"crack", {}, crack},
      {"misprint",
       [](cv::RNG& random, Assembly& assembly) {
         assembly.print_shift = {random.uniform(9.0, 13.0), random.uniform(-18.0, -13.0)};
       },
       {}},
      {"burn", {}, burn},
  };
  return kDefects;
}

// What differs, with the gaps inside a shape closed and filled, as a person would outline it.
cv::Mat visible_difference(const cv::Mat& good, const cv::Mat& bad) {
  cv::Mat difference;
  cv::absdiff(good, bad, difference);
  std::vector<cv::Mat> channels;
  cv::split(difference, channels);
  cv::Mat mask = cv::max(channels[0], cv::max(channels[1], channels[2])) > kVisible;
  cv::morphologyEx(mask, mask, cv::MORPH_OPEN, cv::getStructuringElement(cv::MORPH_ELLIPSE, {2, 2}));
  cv::morphologyEx(mask, mask, cv::MORPH_CLOSE, cv::getStructuringElement(cv::MORPH_ELLIPSE, {13, 13}));
  std::vector<std::vector<cv::Point>> contours;
  cv::findContours(mask, contours, cv::RETR_EXTERNAL, cv::CHAIN_APPROX_NONE);
  cv::drawContours(mask, contours, -1, cv::Scalar(255), cv::FILLED);
  return mask;
}

}  // namespace

const std::vector<std::string>& defect_kinds() {
  static const std::vector<std::string> kKinds = [] {
    std::vector<std::string> kinds;
    for (const Defect& defect : defects()) kinds.push_back(defect.kind);
    return kinds;
  }();
  return kKinds;
}

Board draw_good_board(std::uint64_t seed) { return {draw_board(seed, {}), empty_mask()}; }

Board draw_defective_board(const Board& good, const std::string& kind, std::uint64_t seed) {
  cv::RNG random(seed * 2654435761U + 17);
  Board board{good.picture.clone(), {}};
  for (const Defect& defect : defects()) {
    if (defect.kind != kind) continue;
    Assembly assembly;
    if (defect.assemble) {
      defect.assemble(random, assembly);
      board.picture = draw_board(seed, assembly);
    }
    if (defect.damage) defect.damage(board.picture, random);
  }
  board.truth = visible_difference(good.picture, board.picture);
  return board;
}

}  // namespace padim::tool
