// The product of the sample scene: a populated circuit board, drawn part by part. Everything is placed in the
// coordinates of kBoardSize; the tables below are the layout.
#include "sample/board.h"

#include <array>
#include <string>
#include <vector>

#include <opencv2/imgproc.hpp>

#include "sample/brush.h"

namespace padim::tool {
namespace {

const cv::Scalar kMask{62, 104, 24};      // solder mask over copper
const cv::Scalar kClearance{50, 84, 18};  // solder mask over bare laminate
const cv::Scalar kTrace{78, 126, 34};     // solder mask over a raised trace
const cv::Scalar kGold{96, 182, 214};     // plated pads and rings
const cv::Scalar kTin{196, 200, 200};     // soldered ends and pins
const cv::Scalar kPlastic{40, 38, 38};    // bodies of integrated circuits
const cv::Scalar kPrint{226, 232, 230};   // silkscreen
const cv::Scalar kDrilled{28, 30, 32};    // what one sees through a hole
constexpr double kPinPitch = 12;          // of the large circuit
constexpr int kPinsPerSide = 16;          // of the large circuit
const cv::Point2d kController{620, 455};  // its centre
constexpr double kControllerSide = 214;   // of its body
const cv::Point2d kResonator{415, 612};   // crystal resonator
const cv::Point2d kBigCapacitors[] = {{985, 505}, {985, 655}};

cv::Mat draw_plate(std::uint64_t seed) {
  const cv::Mat brushed = smooth_noise(kBoardSize, seed, 90, 0.7);
  const cv::Mat grain = smooth_noise(kBoardSize, seed + 1, 1.2, 0.6);
  const cv::Mat clouds = smooth_noise(kBoardSize, seed + 2, 110, 90);
  const cv::Mat grey = 128 + 7 * brushed + 3.5 * grain + 4 * clouds;
  const std::vector<cv::Mat> channels = {grey * 1.03, grey, grey * 0.985};
  cv::Mat plate;
  cv::merge(channels, plate);
  plate.convertTo(plate, CV_8UC3);
  return plate;
}

void draw_clamps(cv::Mat& canvas) {
  for (const double x : {88.0, 1192.0}) {
    const Brush brush(canvas, {{x, 640}, 0});
    brush.box_shadow(96, 150, 14, 16);
    brush.rounded_box(0, 0, 96, 150, 14, {58, 54, 52});
    brush.rounded_box(-2, -3, 86, 138, 11, {74, 70, 68});
    brush.disc(0, 0, 25, {120, 122, 124});
    brush.disc(-1, -1, 21, {158, 160, 162});
    brush.line({-13, -9}, {13, 9}, 6, {62, 62, 64});
  }
}

void draw_laminate(cv::Mat& canvas, std::uint64_t seed) {
  const cv::Point2d centre(kBoardOutline.x + kBoardOutline.width / 2.0, kBoardOutline.y + kBoardOutline.height / 2.0);
  const Brush brush(canvas, {centre, 0});
  brush.box_shadow(kBoardOutline.width, kBoardOutline.height, 34, 24);
  brush.rounded_box(0, 0, kBoardOutline.width, kBoardOutline.height, 34, {104, 150, 128});
  brush.rounded_box(-1, -2, kBoardOutline.width - 8, kBoardOutline.height - 8, 31, kClearance);
  brush.rounded_box(-1, -2, kBoardOutline.width - 26, kBoardOutline.height - 26, 24, kMask);
  // The weave of the glass cloth shows faintly through the mask.
  cv::Mat weave = smooth_noise(kBoardSize, seed + 3, 5, 0.8) + smooth_noise(kBoardSize, seed + 4, 0.8, 5);
  const cv::Rect inner = kBoardOutline - cv::Point(-6, -6) - cv::Size(12, 12);
  cv::Mat area = canvas(inner);
  cv::Mat values;
  area.convertTo(values, CV_32FC3);
  cv::Mat three;
  cv::merge(std::vector<cv::Mat>(3, weave(inner) * 1.1), three);
  values += three;
  values.convertTo(area, CV_8UC3);
}

void draw_via(cv::Mat& canvas, cv::Point2d at) {
  const Brush brush(canvas, {at, 0});
  brush.disc(0, 0, 9, kClearance);
  brush.disc(0, 0, 7, kGold * 0.9);
  brush.disc(0, 0, 3.2, kDrilled);
}

void draw_trace(cv::Mat& canvas, const std::vector<cv::Point2d>& path, double width) {
  const Brush brush(canvas, {{0, 0}, 0});
  for (const auto& [thickness, colour] : {std::pair(width + 6, kClearance), std::pair(width, kTrace)}) {
    for (std::size_t i = 1; i < path.size(); ++i) brush.line(path[i - 1], path[i], thickness, colour);
  }
}

// Each side of the large circuit fans out into a bus that bends by 45 degrees and ends in a row of vias.
void draw_fan(cv::Mat& canvas, double quarter_turns) {
  const double reach = 128;
  const double radians = quarter_turns * CV_PI / 2;
  const double c = std::round(std::cos(radians));
  const double s = std::round(std::sin(radians));
  const auto turned = [&](double x, double y) { return kController + cv::Point2d(c * x - s * y, s * x + c * y); };
  std::vector<cv::Point2d> ends;
  for (int pin = 0; pin < kPinsPerSide; ++pin) {
    const double y = (pin - (kPinsPerSide - 1) / 2.0) * kPinPitch;
    const double bend = reach + 4 + 2.2 * std::abs(y) * 0.35;
    const double spread = y * 0.55;
    const double end = bend + std::abs(spread) + (pin % 2 == 0 ? 26 : 48);
    draw_trace(
        canvas,
        {turned(reach - 16, y), turned(bend, y), turned(bend + std::abs(spread), y + spread), turned(end, y + spread)},
        4);
    ends.push_back(turned(end, y + spread));
  }
  for (const cv::Point2d& end : ends) draw_via(canvas, end);
}

void draw_buses(cv::Mat& canvas) {
  for (int i = 0; i < 5; ++i) {
    const double y = 430 + 15 * i;
    draw_trace(canvas, {{220, y}, {300.0 + 12 * i, y}, {330.0 + 12 * i, y - 30}, {330.0 + 12 * i, 330}}, 5);
  }
  for (int i = 0; i < 6; ++i) {
    const double x = 850 + 16 * i;
    draw_trace(canvas, {{x, 352}, {x, 400.0 + 10 * i}, {x - 30, 430.0 + 10 * i}, {x - 30, 700.0 - 14 * i}}, 5);
    draw_via(canvas, {x - 30, 700.0 - 14 * i});
  }
  draw_trace(canvas, {{1040, 505}, {1100, 505}, {1118, 523}, {1118, 655}, {1040, 655}}, 14);
  draw_trace(canvas, {{930, 655}, {900, 685}, {860, 725}, {860, 770}}, 14);
  draw_trace(canvas, {{470, 190}, {470, 235}, {420, 285}, {410, 285}}, 5);
  draw_trace(canvas, {{355, 610}, {300, 610}, {262, 648}, {262, 700}}, 5);
}

void draw_mounting_hole(cv::Mat& canvas, cv::Point2d at) {
  const Brush brush(canvas, {at, 0});
  brush.disc(0, 0, 38, kClearance);
  brush.disc(0, 0, 34, kGold);
  brush.ring(-1, -1, 29, 3, kGold * 1.1);
  brush.disc(0, 0, 20, {70, 70, 70});
  brush.disc(2, 3, 18.5, kDrilled);
}

void draw_chip(cv::Mat& canvas, Pose pose, const std::string& label, const cv::Scalar& body) {
  const Brush brush(canvas, pose);
  brush.rounded_box(0, 0, 56, 28, 3, kClearance);
  brush.box(-19, 0, 14, 24, kGold);
  brush.box(19, 0, 14, 24, kGold);
  brush.box_shadow(40, 20, 2, 5);
  brush.rounded_box(0, 0, 42, 20, 2, kTin);
  brush.box(0, 0, 28, 20, body);
  brush.box(0, -8, 28, 3, body * 1.25);
  if (!label.empty()) brush.text(0, 0, label, 10, kPrint);
}

void draw_large_capacitor(cv::Mat& canvas, cv::Point2d at, bool fitted) {
  const Brush brush(canvas, {at, 0});
  brush.ring(0, 0, 62, 3, kPrint);
  brush.text(-66, -52, "+", 18, kPrint);
  for (const double x : {-26.0, 26.0}) {
    brush.disc(x, 0, 15, kGold);
    brush.disc(x, 0, 6, kDrilled);
  }
  if (!fitted) return;
  brush.box_shadow(106, 106, 53, 20);
  brush.disc(0, 0, 55, {52, 46, 42});
  brush.disc(-1, -1, 50, {172, 174, 174});
  brush.disc(-3, -4, 44, {192, 194, 194});
  cv::ellipse(canvas, at - cv::Point2d(1, 1), {49, 49}, 0, -52, 52, {50, 44, 40}, cv::FILLED, cv::LINE_AA);
  brush.line({-40, -2}, {20, -2}, 2, {140, 142, 142});
  brush.line({-8, -36}, {-8, 36}, 2, {140, 142, 142});
  brush.text(-20, 16, "220", 13, {60, 60, 60});
}

void draw_resonator(cv::Mat& canvas, const Assembly& assembly) {
  const Brush pads(canvas, {kResonator, 0});
  pads.rounded_box(0, 0, 146, 68, 34, kPrint);
  pads.rounded_box(0, 0, 140, 62, 31, kMask);
  pads.box(-48, 0, 20, 26, kGold);
  pads.box(48, 0, 20, 26, kGold);
  const Brush brush(canvas, {kResonator + assembly.resonator_shift, assembly.resonator_angle});
  brush.box_shadow(122, 46, 23, 11);
  brush.rounded_box(0, 0, 124, 48, 24, {150, 152, 152});
  brush.rounded_box(-1, -1, 112, 38, 19, {206, 208, 208});
  brush.rounded_box(0, 2, 106, 32, 16, {188, 190, 190});
  brush.text(0, 1, "16.000", 14, {84, 84, 84});
}

void draw_pins(const Brush& brush, int count, double pitch, double half_width, double length) {
  for (int pin = 0; pin < count; ++pin) {
    const double y = (pin - (count - 1) / 2.0) * pitch;
    for (const double side : {-1.0, 1.0}) {
      brush.box(side * (half_width + length / 2), y, length + 8, pitch * 0.6, kGold * 0.85);
      brush.box(side * (half_width + length / 2 - 3), y, length, pitch * 0.42, kTin);
    }
  }
}

void draw_controller(cv::Mat& canvas) {
  for (const double angle : {0.0, 90.0}) {
    draw_pins(Brush(canvas, {kController, angle}), kPinsPerSide, kPinPitch, kControllerSide / 2, 20);
  }
  const Brush brush(canvas, {kController, 0});
  brush.box_shadow(kControllerSide, kControllerSide, 6, 10);
  brush.rounded_box(0, 0, kControllerSide, kControllerSide, 8, kPlastic * 0.8);
  brush.rounded_box(-1, -1, kControllerSide - 10, kControllerSide - 10, 6, kPlastic * 1.2);
  brush.ring(-80, -80, 9, 2, {70, 68, 68});
  brush.text(0, -24, "PADIM", 30, {150, 150, 150});
  brush.text(0, 22, "MC-1024", 18, {128, 128, 128});
  brush.text(0, 56, "2011.08785", 15, {116, 116, 116});
}

void draw_small_circuit(cv::Mat& canvas, cv::Point2d at, const std::string& label) {
  const Brush brush(canvas, {at, 90});
  draw_pins(brush, 8, 16, 42, 16);
  brush.box_shadow(84, 136, 4, 8);
  brush.rounded_box(0, 0, 84, 136, 4, kPlastic * 0.85);
  brush.rounded_box(-1, -1, 74, 126, 4, kPlastic * 1.25);
  brush.disc(-24, 50, 6, kPlastic * 0.7);
  Brush(canvas, {at, 0}).text(0, 0, label, 15, {138, 138, 138});
}

void draw_header(cv::Mat& canvas) {
  const Brush brush(canvas, {{640, 172}, 0});
  brush.box_shadow(448, 64, 4, 9);
  brush.rounded_box(0, 0, 448, 64, 4, {34, 32, 32});
  for (int pin = 0; pin < 28; ++pin) {
    const double x = (pin % 14 - 6.5) * 31;
    const double y = pin < 14 ? -15 : 15;
    brush.rounded_box(x, y, 24, 24, 3, {48, 46, 46});
    brush.box(x, y, 11, 11, kGold);
    brush.box(x - 2, y - 2, 6, 6, kGold * 1.18);
  }
}

void draw_socket(cv::Mat& canvas) {
  const Brush brush(canvas, {{176, 462}, 0});
  brush.box_shadow(124, 142, 6, 14);
  brush.rounded_box(0, 0, 124, 142, 8, {146, 148, 150});
  brush.rounded_box(-2, -3, 116, 132, 7, {196, 198, 200});
  brush.rounded_box(-2, 0, 96, 104, 5, {180, 183, 185});
  for (const double y : {-34.0, 34.0}) {
    brush.rounded_box(8, y, 46, 18, 4, {112, 114, 116});
    brush.rounded_box(6, y + 2, 40, 11, 3, {160, 162, 164});
  }
  brush.line({-52, -60}, {52, -60}, 3, {224, 226, 228});
}

void draw_terminal(cv::Mat& canvas) {
  const Brush brush(canvas, {{790, 790}, 0});
  brush.box_shadow(250, 88, 4, 14);
  brush.rounded_box(0, 0, 250, 88, 5, {118, 84, 34});
  brush.rounded_box(0, -6, 242, 70, 4, {158, 114, 48});
  for (const double x : {-80.0, 0.0, 80.0}) {
    brush.disc(x, -6, 27, {112, 78, 30});
    brush.disc(x, -6, 22, {150, 154, 156});
    brush.disc(x - 2, -8, 18, {188, 192, 194});
    brush.line({x - 13, -6 - 5 - x / 16}, {x + 13, -6 + 5 + x / 16}, 6, {66, 66, 68});
  }
}

void draw_label(cv::Mat& canvas, std::uint64_t seed) {
  const Brush brush(canvas, {{330, 764}, 0});
  brush.box_shadow(170, 92, 3, 3);
  brush.rounded_box(0, 0, 170, 92, 4, {226, 230, 230});
  cv::RNG random(seed + 5);
  for (int row = 0; row < 12; ++row) {
    for (int column = 0; column < 12; ++column) {
      const bool frame = row == 11 || column == 0;
      if (frame || random.uniform(0, 2) == 1) brush.box(-44 + (column - 5.5) * 6, (row - 5.5) * 6, 6, 6, {30, 30, 30});
    }
  }
  brush.text(38, -24, "SN 0042", 13, {40, 40, 40});
  brush.text(38, 0, "LOT 17", 13, {40, 40, 40});
  brush.text(38, 24, "OK", 15, {40, 40, 40});
}

struct PlacedChip {
  cv::Point2d at;
  double angle;
  const char* label;
};

void draw_chips(cv::Mat& canvas) {
  static const PlacedChip kResistors[] = {{{255, 270}, 0, "103"},  {{255, 320}, 0, "472"},  {{520, 640}, 90, "220"},
                                          {{570, 640}, 90, "220"}, {{620, 660}, 90, "103"}, {{670, 660}, 90, "103"},
                                          {{1075, 265}, 0, "331"}, {{1075, 315}, 0, "331"}, {{1075, 365}, 0, "102"}};
  static const PlacedChip kCapacitors[] = {{{445, 400}, 90, ""}, {{400, 520}, 0, ""},  {{790, 640}, 90, ""},
                                           {{735, 640}, 90, ""}, {{1075, 425}, 0, ""}, {{255, 372}, 0, ""},
                                           {{500, 716}, 0, ""},  {{590, 745}, 0, ""},  {{765, 262}, 90, ""}};
  for (const PlacedChip& chip : kResistors) draw_chip(canvas, {chip.at, chip.angle}, chip.label, {36, 34, 34});
  for (const PlacedChip& chip : kCapacitors) draw_chip(canvas, {chip.at, chip.angle}, chip.label, {96, 138, 172});
  for (const double x : {225.0, 280.0, 335.0}) {
    draw_chip(canvas, {{x, 668}, 90}, "", {188, 226, 232});
  }
}

void draw_print(cv::Mat& canvas, cv::Point2d shift) {
  const Brush brush(canvas, {shift, 0});
  brush.text(541, 796, "PDM-18 C", 22, kPrint);
  brush.line({450, 818}, {632, 818}, 3, kPrint);
}

void draw_small_print(cv::Mat& canvas) {
  const Brush brush(canvas, {{0, 0}, 0});
  for (const auto& [x, y, text] :
       {std::tuple(1010, 220, "R7 R8 R9"), std::tuple(255, 226, "R1 R2"), std::tuple(282, 620, "D1 D2 D3"),
        std::tuple(990, 330, "U2"), std::tuple(460, 300, "U3"), std::tuple(1052, 722, "24V DC"),
        std::tuple(985, 580, "C1  C2")}) {
    brush.text(x, y, text, 16, kPrint);
  }
  for (const double x : {1000.0, 1030.0, 1060.0}) brush.ring(x, 760, 10, 2, kPrint);
}

}  // namespace

cv::Mat draw_board(std::uint64_t seed, const Assembly& assembly) {
  cv::Mat canvas = draw_plate(seed);
  draw_laminate(canvas, seed);
  draw_buses(canvas);
  for (int side = 0; side < 4; ++side) draw_fan(canvas, side);
  for (const cv::Point2d hole : {cv::Point2d(186, 166), {1094, 166}, {186, 794}, {1094, 794}}) {
    draw_mounting_hole(canvas, hole);
  }
  draw_small_print(canvas);
  draw_print(canvas, {0, 0});
  if (assembly.print_shift != cv::Point2d(0, 0)) draw_print(canvas, assembly.print_shift);
  draw_chips(canvas);
  draw_controller(canvas);
  draw_small_circuit(canvas, {900, 300}, "LM2596");
  draw_small_circuit(canvas, {370, 275}, "74HC14");
  draw_header(canvas);
  draw_socket(canvas);
  draw_terminal(canvas);
  draw_label(canvas, seed);
  draw_resonator(canvas, assembly);
  draw_large_capacitor(canvas, kBigCapacitors[0], true);
  draw_large_capacitor(canvas, kBigCapacitors[1], !assembly.capacitor_missing);
  draw_clamps(canvas);
  return canvas;
}

}  // namespace padim::tool
