#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace padim::tool {

/// Why something that lies in a folder is not taken.
enum class LeftOutReason {
  mask,           ///< below ground_truth/, or NAME_mask.png beside NAME.jpg
  own_picture,    ///< padim wrote it, see own_picture.h
  repeated,       ///< what a link leads to is there already
  page,           ///< of a TIFF, after the first
  hidden_folder,  ///< its name begins with a dot
  system_folder,  ///< lost+found, @eaDir, __MACOSX, $RECYCLE.BIN and the like
  hidden_file,
  other_format,
  unreadable_folder,
};

struct LeftOut {
  LeftOutReason reason;
  std::filesystem::path path;  ///< below the folder
  std::int64_t count = 1;
};

/// What lies in a folder, or one file as if it were alone in it.
struct FolderListing {
  std::vector<std::filesystem::path> images;  ///< below the folder, sorted by path
  std::vector<LeftOut> left_out;
};

struct ListingOptions {
  bool masks = false;                    ///< masks are what is wanted
  bool skip_unreadable_folders = false;  ///< else they are an error
};

/// Everything below the folder. Links are followed, after what lies there itself; each file and each folder is taken
/// once, whatever its number of names, so that circles end. Throws cannot_read.
[[nodiscard]] FolderListing list_folder(const std::filesystem::path& folder, const ListingOptions& options = {});

/// The image, whatever is left out of it.
[[nodiscard]] FolderListing list_image(const std::filesystem::path& file);

/// "28 images taken; left out: 3 masks (ground_truth), 1 hidden folder (.Trash-1000)"; empty where nothing is left out.
[[nodiscard]] std::string what_is_left_out(const FolderListing& listing);

/// Throws bad_format where no image was taken.
void check_not_empty(const std::filesystem::path& folder, const FolderListing& listing);

/// True for the extensions of images, in any case: png, jpg, jpeg, bmp, tif, tiff, webp, pgm, ppm.
[[nodiscard]] bool is_image_name(const std::filesystem::path& path);

inline constexpr char kImageExtensions[] = "png, jpg, jpeg, bmp, tif, tiff, webp, pgm, ppm";

}  // namespace padim::tool
