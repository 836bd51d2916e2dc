#pragma once

#include <cstdint>
#include <string>

#include <opencv2/core.hpp>

namespace padim::tool {

/// Where a thing lies in the picture: its centre and its rotation in degrees, clockwise.
struct Pose {
  cv::Point2d centre;
  double angle = 0;
};

/// Draws antialiased shapes in the coordinates of a pose, so that a part can be drawn once and placed anywhere, at any
/// angle. Colours are BGR. Draws on a CV_8UC3 picture that somebody else owns.
class Brush {
 public:
  Brush(cv::Mat& canvas, Pose pose) : canvas_(canvas), pose_(pose) {}

  /// Rectangle around (x, y), relative to the pose.
  void box(double x, double y, double width, double height, const cv::Scalar& colour) const;
  void rounded_box(double x, double y, double width, double height, double radius, const cv::Scalar& colour) const;
  void disc(double x, double y, double radius, const cv::Scalar& colour) const;
  void ring(double x, double y, double radius, double thickness, const cv::Scalar& colour) const;
  void line(cv::Point2d from, cv::Point2d to, double thickness, const cv::Scalar& colour) const;

  /// Text centred on (x, y), `height` tall.
  void text(double x, double y, const std::string& text, double height, const cv::Scalar& colour) const;

  /// Darkens what lies beneath a rounded box that stands `height` above it, lit from the top left.
  void box_shadow(double width, double height, double radius, double elevation) const;

 private:
  [[nodiscard]] cv::Point2d place(double x, double y) const;

  cv::Mat& canvas_;
  Pose pose_;
};

/// canvas = canvas + opacity * mask / 255 * (colour - canvas) where mask (CV_8UC1, same size) is not zero.
void blend(cv::Mat& canvas, const cv::Mat& mask, const cv::Scalar& colour, double opacity = 1);

/// Seeded noise of mean 0 and deviation 1, smoothed by a Gaussian of the given sigmas (in pixels), CV_32FC1.
[[nodiscard]] cv::Mat smooth_noise(cv::Size size, std::uint64_t seed, double sigma_x, double sigma_y);

}  // namespace padim::tool
