#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include <opencv2/core.hpp>

#include "eval/mask_folder.h"
#include "eval/pixel_scores.h"
#include "io/result_sink.h"
#include "padim/metrics.h"

namespace padim::tool {

/// Compares results with masks of what is anomalous and measures the quality. Masks lie in a folder under the frames'
/// names, see MaskFolder; every pixel that is not black is anomalous. A frame without a mask is normal, unless its
/// folder says that it is of a defect: then only the figures of frames know it.
class GroundTruth : public ResultSink {
 public:
  /// frames: how many there will be, 0 where unknown. The more there are, the fewer of their pixels are kept, so that
  /// they take no more than 600 MB. Throws not_found.
  GroundTruth(std::filesystem::path folder, std::int64_t frames);

  /// Throws bad_format for a mask that cannot be read, mismatch for one whose aspect ratio is not the frame's.
  void write(const Frame& frame, const Detection& detection, SceneCause scene) override;

  /// Image and pixel AUROC, frames found and missed, false alarms: a few lines for people. Throws mismatch where not
  /// one mask belongs to a frame.
  [[nodiscard]] std::string report() const;

 private:
  [[nodiscard]] cv::Mat mask_of(const Frame& frame) const;
  void add_pixels(const Frame& frame, const Detection& detection, const cv::Mat& mask);

  std::filesystem::path folder_;
  MaskFolder available_;
  std::int64_t expected_frames_;
  std::size_t thinning_ = 0;  ///< one in how many pixels is kept; 0 before the first frame
  PixelScores scores_;        ///< of the latest frame
  Ranking pixels_;
  Ranking frames_;
  std::int64_t count_ = 0;  ///< frames
  std::int64_t masks_ = 0;
  std::int64_t unmasked_ = 0;  ///< frames of defects without a mask
  std::int64_t found_ = 0;
  std::int64_t false_alarms_ = 0;
};

}  // namespace padim::tool
