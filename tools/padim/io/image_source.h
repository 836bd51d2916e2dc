#pragma once

#include <filesystem>
#include <memory>

#include <opencv2/core.hpp>

#include "io/folder_listing.h"
#include "io/frame_source.h"
#include "padim/geometry.h"
#include "padim/image_view.h"

namespace padim::tool {

/// Every image that list_folder() takes. Throws cannot_read, and bad_format where there is none.
[[nodiscard]] std::unique_ptr<FrameSource> open_image_folder(const std::filesystem::path& folder,
                                                             const ListingOptions& options = {});

[[nodiscard]] std::unique_ptr<FrameSource> open_single_image(const std::filesystem::path& file);

/// Decodes to 8 bits per channel in the layout that `flags` (cv::ImreadModes) asks for; the pixels stay as they lie in
/// the file, whatever its EXIF orientation says, so that masks drawn on them fit. Throws cannot_read, not_found or
/// bad_format with the cause; a truncated or damaged JPEG counts as broken.
[[nodiscard]] cv::Mat read_image(const std::filesystem::path& file, int flags);

/// The pixels of an image of 8-bit BGR.
[[nodiscard]] ImageView bgr_view(const cv::Mat& image);

/// A picture whose dark places are ignored. Throws not_found, cannot_read.
[[nodiscard]] MaskPicture read_mask(const std::filesystem::path& file);

}  // namespace padim::tool
