#include "eval/ground_truth.h"

#include <cmath>
#include <cstdio>
#include <utility>
#include <vector>

#include "eval/labelled_folder.h"
#include "io/file_io.h"
#include "padim/error.h"

namespace padim::tool {
namespace {

constexpr std::int64_t kCapacity = std::int64_t{1} << 28;  // pixels, of 1 to 2.3 bytes

std::string area_line(const char* name, const RankingQuality& quality) {
  if (!quality.auroc) {
    return std::string(name) + "  undefined: all are " + (quality.anomalous == 0 ? "normal" : "anomalous");
  }
  char text[64];
  std::snprintf(text, sizeof text, "%s  %.4f", name, *quality.auroc);
  return text;
}

// A mask may be drawn at another size than its frame's.
void check_shape(const Frame& frame, const cv::Mat& mask) {
  const double width = static_cast<double>(frame.view.width) * mask.rows / frame.view.height;
  if (std::abs(width - mask.cols) <= 1) return;
  throw Error(ErrorCode::mismatch, "the mask of " + in_quotes(frame.relative) + " is " +
                                       to_string(Size{mask.cols, mask.rows}) + ", but the frame " +
                                       to_string(Size{frame.view.width, frame.view.height}) +
                                       ": draw it on a picture of the whole frame");
}

FrameMapping zoomed(const FrameMapping& mapping, double x, double y) {
  return {mapping.offset_x * x, mapping.offset_y * y, mapping.scale_x * x, mapping.scale_y * y};
}

MaskFolder open_masks(const std::filesystem::path& folder) {
  if (std::filesystem::is_directory(folder)) return MaskFolder(folder);
  throw Error(ErrorCode::not_found, "ground truth " + in_quotes(folder) + " is not a folder of masks");
}

}  // namespace

GroundTruth::GroundTruth(std::filesystem::path folder, std::int64_t frames)
    : folder_(std::move(folder)), available_(open_masks(folder_)), expected_frames_(frames) {}

cv::Mat GroundTruth::mask_of(const Frame& frame) const {
  // Not replace_extension(): the stem itself may hold dots.
  const std::string plain = std::filesystem::path(frame.relative).replace_extension().string();
  for (const std::string& stem : {frame.stem.string(), plain}) {
    const std::filesystem::path file = available_.find(stem);
    if (!file.empty()) return read_marks(file);
  }
  return {};
}

void GroundTruth::add_pixels(const Frame& frame, const Detection& detection, const cv::Mat& mask) {
  const auto size = static_cast<std::int64_t>(detection.map.values.size());
  if (thinning_ == 0) thinning_ = static_cast<std::size_t>(1 + expected_frames_ * size / kCapacity);
  const FrameMapping place = zoomed(detection.mapping, static_cast<double>(mask.cols) / frame.view.width,
                                    static_cast<double>(mask.rows) / frame.view.height);
  compare(detection.map, place, {mask.cols, mask.rows}, mask, PixelRaster::map, scores_);
  std::vector<float> normal;
  std::vector<float> anomalous;
  // Another phase in each frame, so that no place is left out for good.
  for (std::size_t i = static_cast<std::size_t>(count_) % thinning_; i < scores_.scores.size(); i += thinning_) {
    (scores_.mask[i] != 0 ? anomalous : normal).push_back(scores_.scores[i]);
  }
  pixels_.add_normal(normal);
  pixels_.add_defect(anomalous);
}

void GroundTruth::write(const Frame& frame, const Detection& detection, SceneCause) {
  const cv::Mat mask = mask_of(frame);
  if (!mask.empty()) check_shape(frame, mask);
  const bool unmasked = mask.empty() && !frame.pts_ns && is_labelled_defect(frame.source);
  const bool anomalous = unmasked || (!mask.empty() && cv::countNonZero(mask) > 0);
  const float score = static_cast<float>(detection.raw_score);
  anomalous ? frames_.add_defect({&score, 1}) : frames_.add_normal({&score, 1});
  unmasked ? void(++unmasked_) : add_pixels(frame, detection, mask);
  masks_ += mask.empty() ? 0 : 1;
  if (detection.anomalous) ++(anomalous ? found_ : false_alarms_);
  ++count_;
}

std::string GroundTruth::report() const {
  if (masks_ == 0) {
    throw Error(ErrorCode::mismatch, "no mask in " + in_quotes(folder_) +
                                         " belongs to a frame: masks are named like the images, STEM.png or "
                                         "STEM_mask.png (or another image format), or for a video frame_000123.png");
  }
  const RankingQuality frames = frames_.quality();
  std::string text = area_line("image AUROC", frames) + "\n" + area_line("pixel AUROC", pixels_.quality());
  if (thinning_ > 1) text += "  (one pixel in " + std::to_string(thinning_) + ")";
  text += "\nfound        " + std::to_string(found_) + " of " + std::to_string(frames.anomalous) +
          " anomalous frames, " + std::to_string(frames.anomalous - found_) + " missed\n";
  if (unmasked_ > 0) {
    text += "no mask      " + std::to_string(unmasked_) +
            " of the anomalous frames, which only their folder names so: they count in no pixel figure\n";
  }
  text += "false alarms " + std::to_string(false_alarms_) + " of " + std::to_string(frames.normal) + " normal frames\n";
  return text;
}

}  // namespace padim::tool
