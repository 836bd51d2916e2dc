#include "eval/pictures.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <mutex>
#include <string>

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "eval/mask_folder.h"
#include "eval/parallel.h"
#include "io/file_io.h"
#include "io/image_source.h"
#include "io/own_picture.h"
#include "padim/error.h"
#include "terminal/interrupt.h"
#include "terminal/progress.h"

namespace padim::tool {
namespace {

constexpr int kPanel = 320;  // longer side
constexpr int kThumbnail = 120;
constexpr int kGap = 6;
constexpr int kCaption = 24;
constexpr int kUnknown = 128;  // grey level
constexpr double kHeatOpacity = 0.5;
const cv::Scalar kPaper(255, 255, 255);
const cv::Scalar kInk(40, 40, 40);
const cv::Scalar kOutline(0, 0, 255);
constexpr std::array kTitles = {"image", "ground truth", "heat map", "mask", "segmentation"};

/// What the pictures of a class have in common.
struct Scale {
  double low = 0;   // raw score of the coldest colour; with a label-free threshold colours follow the shown score
  double high = 1;  // of the hottest
  double threshold = 0;
  bool calibrated = false;
};

Scale scale_of(const ClassResult& result) {
  Scale scale;
  scale.calibrated = result.threshold.has_value();
  scale.threshold =
      result.threshold.value_or(result.masks ? result.pixel.best_f1_threshold : result.image.best_f1_threshold);
  scale.low = std::numeric_limits<double>::infinity();
  scale.high = -scale.low;
  for (const ImageResult& image : result.images) {
    const auto [low, high] = std::ranges::minmax(image.map.values);
    scale.low = std::min(scale.low, static_cast<double>(low));
    scale.high = std::max(scale.high, static_cast<double>(high));
  }
  scale.high = std::max(scale.high, scale.low + 1e-9);
  return scale;
}

cv::Mat as_image(const ScoreMap& map) { return {map.height, map.width, CV_32F, const_cast<float*>(map.values.data())}; }

cv::Mat resized(const cv::Mat& image, cv::Size size, int interpolation) {
  cv::Mat result;
  cv::resize(image, result, size, 0, 0, interpolation);
  return result;
}

// The part of the frame that the network saw.
cv::Rect seen_part(const ImageResult& image) {
  const FrameMapping& mapping = image.mapping;
  const cv::Rect frame(0, 0, image.size.width, image.size.height);
  return cv::Rect(cv::Point(static_cast<int>(std::lround(mapping.offset_x)),
                            static_cast<int>(std::lround(mapping.offset_y))),
                  cv::Size(static_cast<int>(std::lround(mapping.scale_x * image.map.width)),
                           static_cast<int>(std::lround(mapping.scale_y * image.map.height)))) &
         frame;
}

cv::Size panel_size(cv::Size image) {
  const double factor = static_cast<double>(kPanel) / std::max(image.width, image.height);
  return {std::max(1, static_cast<int>(std::lround(image.width * factor))),
          std::max(1, static_cast<int>(std::lround(image.height * factor)))};
}

cv::Mat heat_map(const cv::Mat& pixels, const cv::Mat& map, const Scale& scale) {
  cv::Mat level(map.size(), CV_8U);
  for (int y = 0; y < map.rows; ++y) {
    for (int x = 0; x < map.cols; ++x) {
      const double raw = static_cast<double>(map.at<float>(y, x));
      const double hot =
          scale.calibrated ? shown_score(raw, scale.threshold) : (raw - scale.low) / (scale.high - scale.low);
      level.at<std::uint8_t>(y, x) = cv::saturate_cast<std::uint8_t>(255 * hot);
    }
  }
  cv::Mat grey;
  cv::Mat colours;
  cv::cvtColor(pixels, grey, cv::COLOR_BGR2GRAY);
  cv::cvtColor(grey, grey, cv::COLOR_GRAY2BGR);
  cv::applyColorMap(level, colours, cv::COLORMAP_JET);
  cv::addWeighted(colours, kHeatOpacity, grey, 1 - kHeatOpacity, 0, colours);
  return colours;
}

// As the published implementation: above the threshold, opened with a disk of radius 4 at network-input size.
cv::Mat opened_mask(const ScoreMap& map, const Scale& scale) {
  cv::Mat disk = cv::Mat::zeros(9, 9, CV_8U);
  for (int y = -4; y <= 4; ++y) {
    for (int x = -4; x <= 4; ++x) disk.at<std::uint8_t>(y + 4, x + 4) = x * x + y * y <= 16 ? 1 : 0;
  }
  cv::Mat mask = as_image(map) > scale.threshold;
  cv::morphologyEx(mask, mask, cv::MORPH_OPEN, disk);
  return mask;
}

cv::Mat outlined(const cv::Mat& pixels, const cv::Mat& mask) {
  cv::Mat result = pixels.clone();
  std::vector<std::vector<cv::Point>> contours;
  cv::findContours(mask, contours, cv::RETR_LIST, cv::CHAIN_APPROX_NONE);
  cv::drawContours(result, contours, -1, kOutline, 2, cv::LINE_AA);
  return result;
}

cv::Mat in_colour(const cv::Mat& mask) {
  cv::Mat result;
  cv::cvtColor(mask, result, cv::COLOR_GRAY2BGR);
  return result;
}

// Where a defect has no mask it is unknown: grey.
cv::Mat truth_of(const TestImage& image, const cv::Rect& seen, cv::Size size) {
  if (image.mask.empty()) return {size, CV_8U, cv::Scalar(image.anomalous() ? kUnknown : 0)};
  return resized(read_marks(image.mask)(seen), size, cv::INTER_NEAREST);
}

std::array<cv::Mat, kTitles.size()> panels_of(const ImageResult& image, Protocol protocol, const Scale& scale,
                                              int bits) {
  const cv::Rect seen = seen_part(image);
  const cv::Size size = panel_size(seen.size());
  const cv::Mat pixels = resized(read_picture(image.source.image, bits).pixels(seen), size, cv::INTER_AREA);
  const cv::Mat map = resized(as_image(image.map), size, cv::INTER_LINEAR);
  const cv::Mat mask = protocol == Protocol::reference ? resized(opened_mask(image.map, scale), size, cv::INTER_NEAREST)
                                                       : cv::Mat(map >= scale.threshold);
  return {pixels, in_colour(truth_of(image.source, seen, size)), heat_map(pixels, map, scale), in_colour(mask),
          outlined(pixels, mask)};
}

void write_caption(cv::Mat& sheet, const std::string& text, int x) {
  cv::putText(sheet, text, {x, kCaption - 8}, cv::FONT_HERSHEY_SIMPLEX, 0.45, kInk, 1, cv::LINE_AA);
}

// Panels in a row; with captions, a strip above them.
template <class Panels>
cv::Mat in_a_row(const Panels& panels, int caption) {
  const cv::Size size = panels.front().size();
  const int step = size.width + kGap;
  cv::Mat sheet(size.height + caption, step * static_cast<int>(panels.size()) - kGap, CV_8UC3, kPaper);
  for (std::size_t i = 0; i < panels.size(); ++i) {
    const int x = step * static_cast<int>(i);
    panels[i].copyTo(sheet(cv::Rect({x, caption}, size)));
    if (caption > 0) write_caption(sheet, kTitles[i], x);
  }
  return sheet;
}

std::vector<std::uint8_t> encoded(const char* extension, const cv::Mat& image, const std::vector<int>& parameters) {
  std::vector<std::uint8_t> bytes;
  cv::imencode(extension, image, bytes, parameters);
  return bytes;
}

ImagePicture draw(const ClassResult& result, const ImageResult& image, Protocol protocol, const Scale& scale,
                  const std::filesystem::path& save) {
  auto panels = panels_of(image, protocol, scale, result.model.sample_bits);
  ImagePicture picture;
  picture.file = std::filesystem::path("pictures") / result.name / image.source.name;
  picture.file.replace_extension(".png");
  std::vector<std::uint8_t> sheet = encoded(".png", in_a_row(panels, kCaption), {});
  sign_picture(sheet);
  write_file(save / picture.file, sheet);
  for (cv::Mat& panel : panels) panel = resized(panel, panel.size() * kThumbnail / kPanel, cv::INTER_AREA);
  picture.thumbnail = encoded(".jpg", in_a_row(panels, 0), {cv::IMWRITE_JPEG_QUALITY, 80});
  return picture;
}

}  // namespace

std::vector<ImagePicture> write_pictures(const ClassResult& result, Protocol protocol,
                                         const std::filesystem::path& save, int threads) {
  std::vector<ImagePicture> pictures(result.images.size());
  const Scale scale = scale_of(result);
  Progress progress(result.name + ": pictures", "images", static_cast<std::int64_t>(pictures.size()));
  std::mutex mutex;
  std::int64_t done = 0;
  run_parallel(pictures.size(), thread_count(threads), [&] {
    return [&](std::size_t i) {
      if (interrupted()) throw Error(ErrorCode::cancelled, "interrupted");
      pictures[i] = draw(result, result.images[i], protocol, scale, save);
      const std::lock_guard lock(mutex);
      progress.update(++done);
    };
  });
  return pictures;
}

}  // namespace padim::tool
