#include "overlay/font.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <string>
#include <utility>
#include <vector>

namespace padim {
namespace {

constexpr int kScale = 4;  // pixels per unit
constexpr int kMargin = 40;

std::vector<char> letters_and_digits() {
  std::vector<char> all;
  for (char c = kFirstCharacter; c <= kLastCharacter; ++c) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) all.push_back(c);
  }
  return all;
}

double top_of(const CharacterOutline& outline) {
  double top = 1e9;
  for (const auto& stroke : outline.strokes) {
    for (const Point& point : stroke) top = std::min(top, point.y);
  }
  return top;
}

double bottom_of(const CharacterOutline& outline) {
  double bottom = -1e9;
  for (const auto& stroke : outline.strokes) {
    for (const Point& point : stroke) bottom = std::max(bottom, point.y);
  }
  return bottom;
}

double distance_to(const CharacterOutline& outline, double x, double y) {
  double nearest = 1e9;
  for (const auto& stroke : outline.strokes) {
    for (std::size_t i = 1; i < stroke.size(); ++i) {
      nearest = std::min(nearest, Segment(stroke[i - 1], stroke[i]).squared_distance(x, y));
    }
  }
  return std::sqrt(nearest);
}

// Letters and digits are those that OpenCV draws in Hershey's simplex face: every pixel of a thin line lies on a
// stroke, and the strokes leave no pixel out.
TEST(Font, LettersAndDigitsAreHersheys) {
  for (const char c : letters_and_digits()) {
    SCOPED_TRACE(c);
    const CharacterOutline outline = outline_of(c);
    cv::Mat drawn = cv::Mat::zeros(60 * kScale, 80 * kScale, CV_8UC1);
    const int base = 35 * kScale;
    cv::putText(drawn, std::string(1, c), {kMargin, base}, cv::FONT_HERSHEY_SIMPLEX, kScale, 255, 1, cv::LINE_8);
    cv::Mat ours = cv::Mat::zeros(drawn.size(), CV_8UC1);
    for (int y = 0; y < drawn.rows; ++y) {
      for (int x = 0; x < drawn.cols; ++x) {
        const double u = static_cast<double>(x - kMargin) / kScale + outline.left;
        const double v = static_cast<double>(y - base) / kScale + kBaseLine;
        const bool near = distance_to(outline, u, v) < 1.5 / kScale;
        ASSERT_TRUE(near || drawn.at<std::uint8_t>(y, x) == 0) << x << ',' << y;
        ours.at<std::uint8_t>(y, x) = near ? 255 : 0;
      }
    }
    cv::dilate(drawn, drawn, cv::Mat::ones(7, 7, CV_8UC1));
    ours.setTo(0, drawn);
    EXPECT_EQ(cv::countNonZero(ours), 0);
  }
}

// Capitals and digits stand on the base line and are as high as a capital; points and commas stand on it, too.
TEST(Font, StandsOnTheBaseLine) {
  for (const char c : std::string("ABCDEFGHIJKLMNOPRSTUVWXYZ0123456789")) {
    EXPECT_EQ(bottom_of(outline_of(c)), kBaseLine) << c;
    EXPECT_EQ(top_of(outline_of(c)), kBaseLine - kCapitalUnits) << c;
  }
  for (const char c : std::string(".!?:")) EXPECT_EQ(bottom_of(outline_of(c)), kBaseLine) << c;
  for (const char c : std::string(",;")) EXPECT_NEAR(bottom_of(outline_of(c)), kBaseLine + 3, 0.5) << c;
}

// Every character but the blank has strokes of two points and more, between its sides, and differs from the others; of
// the face an l is an I.
TEST(Font, HasEveryCharacter) {
  std::vector<std::vector<std::pair<double, double>>> seen;
  for (char c = kFirstCharacter; c <= kLastCharacter; ++c) {
    const CharacterOutline outline = outline_of(c);
    EXPECT_GT(outline.right, outline.left) << c;
    EXPECT_EQ(outline.strokes.empty(), c == ' ') << c;
    std::vector<std::pair<double, double>> points;
    for (const auto& stroke : outline.strokes) {
      EXPECT_GE(stroke.size(), 2U) << c;
      for (const Point& point : stroke) {
        points.emplace_back(point.x, point.y);
        EXPECT_TRUE(point.x >= outline.left && point.x <= outline.right) << c;
        EXPECT_TRUE(point.y >= kBaseLine - 25 && point.y <= kBaseLine + 8) << c << point.y;
      }
    }
    EXPECT_EQ(std::count(seen.begin(), seen.end(), points), c == 'l' ? 1 : 0) << c;
    seen.push_back(points);
  }
}

}  // namespace
}  // namespace padim
