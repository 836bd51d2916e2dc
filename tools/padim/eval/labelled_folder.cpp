#include "eval/labelled_folder.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

#include "io/file_io.h"
#include "io/folder_listing.h"
#include "padim/error.h"

namespace padim::tool {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 3> kNormalNames = {"good", "ok", "normal"};

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

// Sorted, without hidden ones; none where the folder cannot be read, which whoever reads it will say.
std::vector<fs::path> folders_in(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> folders;
  for (auto entry = fs::directory_iterator(folder, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    if (!entry->path().filename().string().starts_with(".") && is_folder(*entry)) folders.push_back(entry->path());
  }
  std::ranges::sort(folders);
  return folders;
}

std::optional<fs::path> normal_folder_in(const fs::path& folder) {
  const std::vector<fs::path> folders = folders_in(folder);
  const auto found = std::ranges::find_if(folders, is_normal_name);
  return found != folders.end() ? std::optional(*found) : std::nullopt;
}

bool holds_images(const fs::path& folder) {
  return !list_folder(folder, {.skip_unreadable_folders = true}).images.empty();
}

/// The first folder beside those of normal images that holds other images.
std::optional<fs::path> defects_in(const fs::path& folder) {
  for (const fs::path& kind : folders_in(folder)) {
    if (!is_normal_name(kind) && holds_images(kind)) return kind;
  }
  return std::nullopt;
}

/// The training images of a data set.
std::optional<fs::path> training_in(const fs::path& folder) {
  if (!is_folder(folder / "test") && !is_folder(folder / "ground_truth")) return std::nullopt;
  return normal_folder_in(is_folder(folder / "train") ? folder / "train" : folder / "test");
}

/// Where the normal images lie among others; nothing where the folder is not laid out so.
std::optional<fs::path> normal_part_of(const fs::path& folder) {
  if (const auto training = training_in(folder)) return training;
  for (const fs::path& one : folders_in(folder)) {
    if (const auto training = training_in(one)) return training;
  }
  const auto normal = normal_folder_in(folder);
  if (!normal || !defects_in(folder)) return std::nullopt;
  const auto training = training_in(fs::absolute(folder).lexically_normal().parent_path());
  return training && folder.filename() == "test" ? training : normal;
}

}  // namespace

bool is_normal_name(const fs::path& folder) {
  return std::ranges::find(kNormalNames, lower(folder.filename().string())) != kNormalNames.end();
}

bool is_labelled_defect(const fs::path& image) {
  const fs::path folder = fs::absolute(image).lexically_normal().parent_path();
  return !is_normal_name(folder) && normal_folder_in(folder.parent_path());
}

void check_all_normal(const fs::path& folder) {
  const auto normal = is_folder(folder) ? normal_part_of(folder) : std::nullopt;
  if (!normal) return;
  throw Error(ErrorCode::invalid_argument, "folder " + in_quotes(folder) +
                                               " holds images of defects, too, by the names of its folders; did you "
                                               "mean " +
                                               in_quotes(*normal) + "?");
}

void check_all_defective(const fs::path& folder) {
  const auto normal = is_folder(folder) ? normal_part_of(folder) : std::nullopt;
  if (!normal) return;
  const auto defects = defects_in(is_folder(folder / "test") ? folder / "test" : folder);
  throw Error(ErrorCode::invalid_argument, "folder " + in_quotes(folder) +
                                               " holds normal images, too, by the names of its folders" +
                                               (defects ? "; did you mean " + in_quotes(*defects) + "?" : ""));
}

}  // namespace padim::tool
