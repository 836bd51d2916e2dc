#include "eval/ground_truth.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include <opencv2/imgcodecs.hpp>

#include "eval/pixel_scores.h"
#include "io/file_io.h"
#include "io/image_source.h"
#include "padim/error.h"
#include "padim/metrics.h"

namespace padim::tool {
namespace {

std::uint64_t hashed(std::uint64_t position) {  // splitmix64: neighbouring positions get independent bits
  position += 0x9E3779B97F4A7C15U;
  position = (position ^ (position >> 30U)) * 0xBF58476D1CE4E5B9U;
  position = (position ^ (position >> 27U)) * 0x94D049BB133111EBU;
  return position ^ (position >> 31U);
}

// For every column (or row) of the map the column (or row) of the mask that its centre falls on.
std::vector<int> sample_positions(int count, double offset, double scale, int frame_side, int mask_side) {
  const double zoom = static_cast<double>(mask_side) / frame_side;
  return nearest_positions(count, offset * zoom, scale * zoom, mask_side);
}

std::string area_line(const char* name, const std::vector<float>& scores, const std::vector<std::uint8_t>& labels) {
  const auto anomalous = std::ranges::count_if(labels, [](std::uint8_t label) { return label != 0; });
  if (anomalous == 0 || anomalous == static_cast<std::ptrdiff_t>(labels.size())) {
    return std::string(name) + "  undefined: all are " + (anomalous == 0 ? "normal" : "anomalous");
  }
  char text[64];
  std::snprintf(text, sizeof text, "%s  %.4f", name, auroc(scores, labels));
  return text;
}

}  // namespace

void PixelSamples::add(float score, bool anomalous) {
  if ((hashed(seen_++) & mask_) != 0) return;
  if (scores_.size() == kCapacity) thin();
  scores_.push_back(score);
  labels_.push_back(anomalous ? 1 : 0);
}

void PixelSamples::thin() {
  mask_ = mask_ * 2 + 1;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < scores_.size(); ++i) {
    if ((hashed(mask_ + i) & 1U) != 0) continue;
    scores_[kept] = scores_[i];
    labels_[kept++] = labels_[i];
  }
  scores_.resize(kept);
  labels_.resize(kept);
}

GroundTruth::GroundTruth(std::filesystem::path folder) : folder_(std::move(folder)) {
  if (!std::filesystem::is_directory(folder_)) {
    throw Error(ErrorCode::not_found, "ground truth " + in_quotes(folder_) + " is not a folder of masks");
  }
}

cv::Mat GroundTruth::mask_of(const Frame& frame) const {
  // Not replace_extension(): the stem itself may hold dots.
  const std::string stem = frame.stem.string();
  const std::string plain = std::filesystem::path(frame.relative).replace_extension().string();
  for (const std::string& name : {stem + ".png", plain + ".png", plain + "_mask.png"}) {
    const std::filesystem::path file = folder_ / name;
    if (std::filesystem::exists(file)) return read_image(file, cv::IMREAD_GRAYSCALE);
  }
  return {};
}

void GroundTruth::write(const Frame& frame, const Detection& detection) {
  const cv::Mat mask = mask_of(frame);
  masks_ += mask.empty() ? 0 : 1;
  const bool anomalous = !mask.empty() && cv::countNonZero(mask) > 0;
  frame_scores_.push_back(static_cast<float>(detection.raw_score));
  frame_labels_.push_back(anomalous ? 1 : 0);
  if (detection.anomalous) ++(anomalous ? found_ : false_alarms_);
  const ScoreMap& map = detection.map;
  if (!anomalous) {
    for (const float score : map.values) pixels_.add(score, false);
    return;
  }
  const FrameMapping& place = detection.mapping;
  const auto columns = sample_positions(map.width, place.offset_x, place.scale_x, frame.view.width, mask.cols);
  const auto rows = sample_positions(map.height, place.offset_y, place.scale_y, frame.view.height, mask.rows);
  for (int v = 0; v < map.height; ++v) {
    const auto* row = mask.ptr<std::uint8_t>(rows[static_cast<std::size_t>(v)]);
    for (int u = 0; u < map.width; ++u) pixels_.add(map.at(u, v), row[columns[static_cast<std::size_t>(u)]] != 0);
  }
}

std::string GroundTruth::report() const {
  if (masks_ == 0) {
    throw Error(ErrorCode::mismatch, "no mask in " + in_quotes(folder_) +
                                         " belongs to a frame: masks are named like the images, STEM.png or "
                                         "STEM_mask.png, or for a video frame_000123.png");
  }
  const auto frames = static_cast<std::int64_t>(frame_labels_.size());
  const auto anomalous = static_cast<std::int64_t>(std::ranges::count(frame_labels_, 1));
  std::string text = area_line("image AUROC", frame_scores_, frame_labels_) + "\n";
  text += area_line("pixel AUROC", pixels_.scores(), pixels_.labels());
  if (pixels_.thinning() > 1) text += "  (one pixel in " + std::to_string(pixels_.thinning()) + ")";
  text += "\nfound        " + std::to_string(found_) + " of " + std::to_string(anomalous) + " anomalous frames, " +
          std::to_string(anomalous - found_) + " missed\n";
  text += "false alarms " + std::to_string(false_alarms_) + " of " + std::to_string(frames - anomalous) +
          " normal frames\n";
  return text;
}

}  // namespace padim::tool
