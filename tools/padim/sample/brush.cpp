#include "sample/brush.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <opencv2/imgproc.hpp>

namespace padim::tool {
namespace {

// OpenCV draws in fixed point: four fractional bits place shapes to a sixteenth of a pixel.
constexpr int kShift = 4;

cv::Point fixed_point(cv::Point2d point) {
  return {cvRound(point.x * (1 << kShift)), cvRound(point.y * (1 << kShift))};
}

int fixed_length(double length) { return cvRound(length * (1 << kShift)); }

std::vector<cv::Point2d> rounded_outline(double width, double height, double radius) {
  const double r = std::min({radius, width / 2, height / 2});
  const std::vector<cv::Point2d> corners = {{width / 2 - r, height / 2 - r},
                                            {r - width / 2, height / 2 - r},
                                            {r - width / 2, r - height / 2},
                                            {width / 2 - r, r - height / 2}};
  std::vector<cv::Point2d> outline;
  for (std::size_t corner = 0; corner < corners.size(); ++corner) {
    for (int step = 0; step <= 8; ++step) {
      const double angle = (static_cast<double>(corner) + step / 8.0) * CV_PI / 2;
      outline.push_back(corners[corner] + r * cv::Point2d(std::cos(angle), std::sin(angle)));
    }
  }
  return outline;
}

}  // namespace

cv::Point2d Brush::place(double x, double y) const {
  const double radians = pose_.angle * CV_PI / 180;
  const double c = std::cos(radians);
  const double s = std::sin(radians);
  return pose_.centre + cv::Point2d(c * x - s * y, s * x + c * y);
}

void Brush::box(double x, double y, double width, double height, const cv::Scalar& colour) const {
  rounded_box(x, y, width, height, 0, colour);
}

void Brush::rounded_box(double x, double y, double width, double height, double radius,
                        const cv::Scalar& colour) const {
  std::vector<cv::Point> outline;
  for (const cv::Point2d& point : rounded_outline(width, height, radius)) {
    outline.push_back(fixed_point(place(x + point.x, y + point.y)));
  }
  cv::fillConvexPoly(canvas_, outline, colour, cv::LINE_AA, kShift);
}

void Brush::disc(double x, double y, double radius, const cv::Scalar& colour) const {
  cv::circle(canvas_, fixed_point(place(x, y)), fixed_length(radius), colour, cv::FILLED, cv::LINE_AA, kShift);
}

void Brush::ring(double x, double y, double radius, double thickness, const cv::Scalar& colour) const {
  cv::circle(canvas_, fixed_point(place(x, y)), fixed_length(radius), colour, std::max(1, cvRound(thickness)),
             cv::LINE_AA, kShift);
}

void Brush::line(cv::Point2d from, cv::Point2d to, double thickness, const cv::Scalar& colour) const {
  cv::line(canvas_, fixed_point(place(from.x, from.y)), fixed_point(place(to.x, to.y)), colour,
           std::max(1, cvRound(thickness)), cv::LINE_AA, kShift);
}

void Brush::text(double x, double y, const std::string& text, double height, const cv::Scalar& colour) const {
  constexpr int kFont = cv::FONT_HERSHEY_SIMPLEX;
  constexpr double kCapHeight = 21;  // of the font at scale 1
  const double scale = height / kCapHeight;
  const int thickness = std::max(1, cvRound(height / 8));
  int baseline = 0;
  const cv::Size size = cv::getTextSize(text, kFont, scale, thickness, &baseline);
  cv::Mat letters(size.height + 2 * baseline + 4, size.width + 8, CV_8UC1, cv::Scalar(0));
  cv::putText(letters, text, {4, size.height + baseline + 2}, kFont, scale, cv::Scalar(255), thickness, cv::LINE_AA);
  const cv::Point2d origin = place(x, y);
  cv::Mat turn = cv::getRotationMatrix2D(cv::Point2d(letters.cols, letters.rows) / 2, -pose_.angle, 1);
  turn.at<double>(0, 2) += origin.x - letters.cols / 2.0;
  turn.at<double>(1, 2) += origin.y - letters.rows / 2.0;
  cv::Mat mask;
  cv::warpAffine(letters, mask, turn, canvas_.size());
  blend(canvas_, mask, colour);
}

void Brush::box_shadow(double width, double height, double radius, double elevation) const {
  cv::Mat mask(canvas_.size(), CV_8UC1, cv::Scalar(0));
  const cv::Point2d light(elevation * 0.7, elevation);
  std::vector<cv::Point> outline;
  for (const cv::Point2d& point : rounded_outline(width, height, radius)) {
    outline.push_back(fixed_point(place(point.x, point.y) + light));
  }
  cv::fillConvexPoly(mask, outline, cv::Scalar(255), cv::LINE_AA, kShift);
  cv::GaussianBlur(mask, mask, {}, std::max(1.0, elevation * 0.6));
  blend(canvas_, mask, {10, 12, 10}, 0.55);
}

void blend(cv::Mat& canvas, const cv::Mat& mask, const cv::Scalar& colour, double opacity) {
  const cv::Rect touched = cv::boundingRect(mask);
  for (int y = touched.y; y < touched.y + touched.height; ++y) {
    const auto* weight = mask.ptr<std::uint8_t>(y);
    auto* pixel = canvas.ptr<cv::Vec3b>(y);
    for (int x = touched.x; x < touched.x + touched.width; ++x) {
      const double alpha = opacity * weight[x] / 255;
      for (int channel = 0; channel < 3; ++channel) {
        const double value = pixel[x][channel];
        pixel[x][channel] = cv::saturate_cast<std::uint8_t>(value + alpha * (colour[channel] - value));
      }
    }
  }
}

cv::Mat smooth_noise(cv::Size size, std::uint64_t seed, double sigma_x, double sigma_y) {
  cv::Mat noise(size, CV_32FC1);
  cv::RNG random(seed);
  random.fill(noise, cv::RNG::NORMAL, 0, 1);
  if (sigma_x > 0 || sigma_y > 0) cv::GaussianBlur(noise, noise, {}, std::max(sigma_x, 0.1), std::max(sigma_y, 0.1));
  cv::Scalar mean;
  cv::Scalar deviation;
  cv::meanStdDev(noise, mean, deviation);
  return (noise - mean[0]) / std::max(deviation[0], 1e-6);
}

}  // namespace padim::tool
