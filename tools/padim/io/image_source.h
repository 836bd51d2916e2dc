#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include <opencv2/core.hpp>

#include "io/deep_samples.h"
#include "io/folder_listing.h"
#include "io/frame_source.h"
#include "padim/geometry.h"
#include "padim/image_view.h"

namespace padim::tool {

/// Every image that list_folder() takes. Throws cannot_read, and bad_format where there is none.
[[nodiscard]] std::unique_ptr<FrameSource> open_image_folder(const std::filesystem::path& folder,
                                                             const ListingOptions& options = {},
                                                             const SampleRange& range = {});

[[nodiscard]] std::unique_ptr<FrameSource> open_single_image(const std::filesystem::path& file,
                                                             const SampleRange& range = {});

/// A picture to be looked at.
struct Picture {
  cv::Mat pixels;      ///< 8-bit BGR
  bool deep = false;   ///< the file has 16 bits per sample
  bool above = false;  ///< some lie above the range that they were read with, and became 255
};

/// Reads as read_image() does; of 16-bit samples `bits` are in use, see SampleRange; 0: all.
[[nodiscard]] Picture read_picture(const std::filesystem::path& file, int bits);

/// What to say of so many pictures with samples above the range.
[[nodiscard]] std::string above_range(std::int64_t pictures, int bits);

/// The largest value of any channel but alpha, unscaled. Throws what read_image() throws.
[[nodiscard]] int largest_sample(const std::filesystem::path& file);

/// Decodes to 8 bits per channel in the layout that `flags` (cv::ImreadModes) asks for; the pixels stay as they lie in
/// the file, whatever its EXIF orientation says, so that masks drawn on them fit. Throws cannot_read, not_found or
/// bad_format with the cause; a truncated or damaged file counts as broken.
[[nodiscard]] cv::Mat read_image(const std::filesystem::path& file, int flags);

/// The pixels of an image of 8-bit BGR.
[[nodiscard]] ImageView bgr_view(const cv::Mat& image);

/// A picture whose dark places are ignored. Throws not_found, cannot_read.
[[nodiscard]] MaskPicture read_mask(const std::filesystem::path& file);

}  // namespace padim::tool
