#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <opencv2/core.hpp>

#include "io/result_sink.h"

namespace padim::tool {

/// Scores and labels of pixels, for an exact AUROC. At most kCapacity of them are kept (340 MB): beyond that, a random
/// half is dropped as often as needed. The choice is the same in every run.
class PixelSamples {
 public:
  static constexpr std::size_t kCapacity = std::size_t{1} << 26U;

  void add(float score, bool anomalous);

  [[nodiscard]] const std::vector<float>& scores() const { return scores_; }
  [[nodiscard]] const std::vector<std::uint8_t>& labels() const { return labels_; }

  /// One in how many pixels is kept: 1 as long as all of them fit.
  [[nodiscard]] std::uint64_t thinning() const { return mask_ + 1; }

 private:
  void thin();

  std::uint64_t seen_ = 0;
  std::uint64_t mask_ = 0;  ///< pixels are taken whose hashed position has none of these bits set
  std::vector<float> scores_;
  std::vector<std::uint8_t> labels_;
};

/// Compares results with masks of what is anomalous and measures the quality. Masks lie in a folder under the frames'
/// names, STEM.png or STEM_mask.png; every pixel that is not zero is anomalous, a frame without a mask is normal.
class GroundTruth : public ResultSink {
 public:
  /// Throws not_found.
  explicit GroundTruth(std::filesystem::path folder);

  /// Throws bad_format for a mask that cannot be read or whose aspect ratio is not the frame's.
  void write(const Frame& frame, const Detection& detection) override;

  /// Image and pixel AUROC, frames found and missed, false alarms: a few lines for people. Throws mismatch where not
  /// one mask belongs to a frame.
  [[nodiscard]] std::string report() const;

 private:
  [[nodiscard]] cv::Mat mask_of(const Frame& frame) const;

  std::filesystem::path folder_;
  PixelSamples pixels_;
  std::vector<float> frame_scores_;
  std::vector<std::uint8_t> frame_labels_;
  std::int64_t masks_ = 0;
  std::int64_t found_ = 0;
  std::int64_t false_alarms_ = 0;
};

}  // namespace padim::tool
