#include "eval/mask_folder.h"

#include <vector>

#include <opencv2/imgcodecs.hpp>

#include "io/file_io.h"
#include "io/folder_listing.h"
#include "io/image_source.h"

namespace padim::tool {
namespace {

constexpr char kSuffix[] = "_mask";

double black_up_to(const std::filesystem::path& file) {
  const std::string extension = lower_extension(file);
  return extension.starts_with("jp") || extension == "webp" ? 127 : 0;
}

}  // namespace

MaskFolder::MaskFolder(const std::filesystem::path& folder) {
  for (std::filesystem::path mask : list_folder(folder, {.masks = true}).images) {
    const std::filesystem::path file = folder / mask;
    masks_.emplace(mask.replace_extension().string(), file);
  }
}

std::filesystem::path MaskFolder::find(const std::string& stem) const {
  for (const std::string& name : {stem + kSuffix, stem}) {
    if (const auto found = masks_.find(name); found != masks_.end()) return found->second;
  }
  return {};
}

cv::Mat read_marks(const std::filesystem::path& file) {
  std::vector<cv::Mat> planes;
  cv::split(read_image(file, cv::IMREAD_UNCHANGED), planes);
  const bool transparent = planes.size() == 2 || planes.size() == 4;
  const std::size_t colours = planes.size() - (transparent ? 1 : 0);
  cv::Mat marks = planes[0] > black_up_to(file);
  for (std::size_t i = 1; i < colours; ++i) marks |= planes[i] > black_up_to(file);
  if (transparent) marks &= planes.back() > 0;
  return marks;
}

}  // namespace padim::tool
