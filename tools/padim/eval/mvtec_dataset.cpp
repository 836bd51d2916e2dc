#include "eval/mvtec_dataset.h"

#include <algorithm>
#include <optional>
#include <system_error>
#include <utility>

#include "eval/mask_folder.h"
#include "io/file_io.h"
#include "io/folder_listing.h"
#include "padim/error.h"

namespace padim::tool {
namespace {

constexpr char kNormal[] = "good";
constexpr char kLayout[] =
    "; expected is MVTec AD's layout: CLASS/train/good, CLASS/test/DEFECT, CLASS/ground_truth/DEFECT";

bool is_class(const std::filesystem::path& folder) { return std::filesystem::is_directory(folder / "train" / kNormal); }

// Sorted; hidden ones are left out.
std::vector<std::filesystem::path> list_folders(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> paths;
  try {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (!entry.path().filename().string().starts_with(".") && entry.is_directory()) paths.push_back(entry.path());
    }
  } catch (const std::filesystem::filesystem_error& error) {
    throw Error(ErrorCode::cannot_read, "cannot read folder " + in_quotes(folder) + ": " + error.code().message());
  }
  std::ranges::sort(paths);
  return paths;
}

/// Below `part` of the class's folder; says what was left out there.
std::vector<std::filesystem::path> list_images(DatasetClass& data, const std::filesystem::path& part) {
  FolderListing listing = list_folder(data.folder / part);
  check_not_empty(data.folder / part, listing);
  const std::string rest = what_is_left_out(listing);
  if (!rest.empty()) data.left_out.push_back(part.string() + ": " + rest);
  return std::move(listing.images);
}

std::filesystem::path mask_of(const DatasetClass& data, const MaskFolder& masks, const TestImage& image) {
  const std::string stem = std::filesystem::path(image.name).replace_extension().string();
  std::filesystem::path mask = masks.find(stem);
  if (!mask.empty()) return mask;
  throw Error(ErrorCode::not_found, "test image " + in_quotes(image.image) +
                                        " has no mask: " + in_quotes(masks_of(data.folder) / (stem + "_mask.png")) +
                                        " does not exist, nor one of another image format");
}

void read_tests(DatasetClass& data, const std::filesystem::path& defect, const std::optional<MaskFolder>& masks) {
  for (const auto& image : list_images(data, "test" / defect)) {
    const std::filesystem::path name = defect / image;
    TestImage test{data.folder / "test" / name, name, {}, defect.string()};
    if (masks && test.anomalous()) test.mask = mask_of(data, *masks, test);
    data.test.push_back(std::move(test));
  }
}

DatasetClass read_class(const std::filesystem::path& folder, const std::string& name) {
  if (!is_class(folder)) {
    throw Error(ErrorCode::not_found,
                "class '" + name + "' has no folder " + in_quotes(folder / "train" / kNormal) + kLayout);
  }
  DatasetClass result{name, folder, {}, {}, std::filesystem::is_directory(masks_of(folder)), {}};
  const std::filesystem::path normal = std::filesystem::path("train") / kNormal;
  for (const auto& image : list_images(result, normal)) result.training.push_back(folder / normal / image);
  std::optional<MaskFolder> masks;
  if (result.masks) masks.emplace(masks_of(folder));
  if (std::filesystem::is_directory(folder / "test")) {
    for (const auto& defect : list_folders(folder / "test")) read_tests(result, defect.filename(), masks);
  }
  if (result.test.empty()) {
    throw Error(ErrorCode::bad_format,
                "class '" + name + "' has no test image below " + in_quotes(folder / "test") + kLayout);
  }
  return result;
}

std::vector<std::string> list_classes(const std::filesystem::path& root) {
  std::vector<std::string> names;
  for (const auto& folder : list_folders(root)) {
    if (is_class(folder)) names.push_back(folder.filename().string());
  }
  if (names.empty()) throw Error(ErrorCode::bad_format, "no class lies in " + in_quotes(root) + kLayout);
  return names;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

std::filesystem::path masks_of(const std::filesystem::path& folder) { return folder / "ground_truth"; }

std::vector<std::filesystem::path> files_of(const DatasetClass& one) {
  std::vector<std::filesystem::path> files = one.training;
  for (const TestImage& test : one.test) {
    files.push_back(test.image);
    if (!test.mask.empty()) files.push_back(test.mask);
  }
  return files;
}

std::vector<DatasetClass> open_dataset(const std::filesystem::path& root, const std::vector<std::string>& wanted) {
  if (!std::filesystem::is_directory(root)) {
    throw Error(ErrorCode::not_found, "data set " + in_quotes(root) + " is not a folder");
  }
  if (is_class(root)) {
    const std::string name = std::filesystem::canonical(root).filename().string();
    if (wanted.empty() || wanted == std::vector{name}) return {read_class(root, name)};
  }
  const std::vector<std::string> present = list_classes(root);
  std::vector<DatasetClass> classes;
  for (const std::string& name : wanted.empty() ? present : wanted) {
    if (std::ranges::find(present, name) == present.end()) {
      throw Error(ErrorCode::not_found,
                  "there is no class '" + name + "' in " + in_quotes(root) + "; there are: " + joined(present));
    }
    classes.push_back(read_class(root / name, name));
  }
  return classes;
}

}  // namespace padim::tool
