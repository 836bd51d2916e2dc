#include "io/folder_listing.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <deque>
#include <optional>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include "io/file_io.h"
#include "io/own_picture.h"
#include "io/tiff_file.h"
#include "padim/error.h"

namespace padim::tool {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 9> kExtensions = {"png",  "jpg",  "jpeg", "bmp", "tif",
                                                         "tiff", "webp", "pgm",  "ppm"};
constexpr std::array<std::string_view, 10> kSystemFolders = {
    "$recycle.bin", "#recycle", "#snapshot",  "@eadir",   "@recycle",
    "@snapshot",    "__macosx", "lost+found", "recycler", "system volume information"};
constexpr char kMaskFolder[] = "ground_truth";
constexpr std::string_view kMaskSuffix = "_mask";

struct Wording {
  LeftOutReason reason;
  const char* one;
  const char* many;
};
constexpr std::array<Wording, 9> kWordings = {{
    {LeftOutReason::mask, "mask", "masks"},
    {LeftOutReason::own_picture, "picture that padim wrote", "pictures that padim wrote"},
    {LeftOutReason::repeated, "second name of a file or folder", "second names of files or folders"},
    {LeftOutReason::page, "further page of a TIFF", "further pages of TIFFs"},
    {LeftOutReason::hidden_folder, "hidden folder", "hidden folders"},
    {LeftOutReason::system_folder, "folder of the system", "folders of the system"},
    {LeftOutReason::hidden_file, "hidden file", "hidden files"},
    {LeftOutReason::other_format, "file of another format", "files of other formats"},
    {LeftOutReason::unreadable_folder, "folder that cannot be read", "folders that cannot be read"},
}};

bool is_hidden(const fs::path& path) { return path.filename().string().starts_with("."); }

bool is_system_folder(const fs::path& path) {
  return std::ranges::find(kSystemFolders, lower(path.filename().string())) != kSystemFolders.end();
}

using Identity = std::pair<dev_t, ino_t>;

/// Nothing for a link that leads nowhere.
std::optional<Identity> identity(const fs::path& path) {
  struct stat status = {};
  if (stat(path.c_str(), &status) != 0) return std::nullopt;
  return Identity{status.st_dev, status.st_ino};
}

class Walk {
 public:
  Walk(fs::path root, const ListingOptions& options) : root_(std::move(root)), options_(options) {}

  FolderListing run() {
    is_new({});
    visit({});
    for (; !links_.empty(); links_.pop_front()) follow(fs::path(links_.front()));
    std::ranges::sort(listing_.images);
    return std::move(listing_);
  }

 private:
  void leave_out(LeftOutReason reason, const fs::path& path) { listing_.left_out.push_back({reason, path}); }

  // What cannot be identified is left to whoever reads it, and fails.
  bool is_new(const fs::path& path) {
    const auto id = identity(root_ / path);
    return !id || seen_.insert(*id).second;
  }

  void visit(const fs::path& folder) {
    std::error_code error;
    std::vector<fs::path> entries;
    for (auto entry = fs::directory_iterator(root_ / folder, error); !error && entry != fs::directory_iterator();
         entry.increment(error)) {
      entries.push_back(folder / entry->path().filename());
    }
    if (error) return refuse(folder, error);
    std::ranges::sort(entries);
    for (const fs::path& entry : entries) sort_in(entry);
  }

  void refuse(const fs::path& folder, const std::error_code& error) {
    if (folder.empty() || !options_.skip_unreadable_folders) {
      throw Error(ErrorCode::cannot_read,
                  "cannot read folder " + in_quotes(folder.empty() ? root_ : root_ / folder) + ": " + error.message());
    }
    leave_out(LeftOutReason::unreadable_folder, folder);
  }

  void sort_in(const fs::path& path) {
    std::error_code ignored;
    if (is_hidden(path)) {
      const bool folder = fs::is_directory(root_ / path, ignored);
      return leave_out(folder ? LeftOutReason::hidden_folder : LeftOutReason::hidden_file, path);
    }
    // What a link leads to may lie here itself: then it keeps the name it has here.
    fs::is_symlink(fs::symlink_status(root_ / path, ignored)) ? links_.push_back(path) : follow(path);
  }

  void follow(const fs::path& path) {
    std::error_code ignored;
    const fs::file_status status = fs::status(root_ / path, ignored);
    if (fs::is_directory(status)) return take_folder(path);
    const bool other = fs::exists(status) && !fs::is_regular_file(status);
    if (other || !is_image_name(path)) return leave_out(LeftOutReason::other_format, path);
    take_file(path);
  }

  void take_folder(const fs::path& path) {
    if (is_system_folder(path)) return leave_out(LeftOutReason::system_folder, path);
    is_new(path) ? visit(path) : leave_out(LeftOutReason::repeated, path);
  }

  void take_file(const fs::path& path) {
    if (!is_new(path)) return leave_out(LeftOutReason::repeated, path);
    if (is_own_picture(root_ / path)) return leave_out(LeftOutReason::own_picture, path);
    listing_.images.push_back(path);
  }

  fs::path root_;
  ListingOptions options_;
  FolderListing listing_;
  std::deque<fs::path> links_;
  std::set<Identity> seen_;
};

/// Whether it is a mask, by its folder or by the picture beside it.
class MaskNames {
 public:
  explicit MaskNames(const std::vector<fs::path>& images) {
    for (fs::path image : images) stems_.insert(image.replace_extension());
  }

  [[nodiscard]] bool contains(fs::path image) const {
    if (std::ranges::find(image, fs::path(kMaskFolder)) != image.end()) return true;
    std::string stem = image.replace_extension().string();
    if (!stem.ends_with(kMaskSuffix)) return false;
    stem.resize(stem.size() - kMaskSuffix.size());
    return stems_.contains(stem);
  }

 private:
  std::set<fs::path> stems_;
};

void leave_out_masks(FolderListing& listing) {
  const MaskNames masks(listing.images);
  const auto rest = std::stable_partition(listing.images.begin(), listing.images.end(),
                                          [&](const fs::path& file) { return !masks.contains(file); });
  std::for_each(rest, listing.images.end(), [&](const fs::path& mask) {
    listing.left_out.push_back({LeftOutReason::mask, mask});
  });
  listing.images.erase(rest, listing.images.end());
}

void leave_out_pages(const fs::path& root, FolderListing& listing) {
  for (const fs::path& image : listing.images) {
    if (!lower_extension(image).starts_with("tif")) continue;
    const std::int64_t pages = count_tiff_pages(root / image);
    if (pages > 1) listing.left_out.push_back({LeftOutReason::page, image, pages - 1});
  }
}

/// What names it for people: its folder, its extension or itself.
std::string label(const LeftOut& one) {
  switch (one.reason) {
    case LeftOutReason::mask:
    case LeftOutReason::own_picture:
      return one.path.has_parent_path() ? one.path.parent_path().string() + "/" : one.path.string();
    case LeftOutReason::other_format:
      return one.path.has_extension() ? "." + lower_extension(one.path) : one.path.string();
    default:
      return one.path.string();
  }
}

std::string joined(const std::set<std::string>& labels) {
  constexpr std::size_t kNamed = 4;
  std::string text;
  std::size_t count = 0;
  for (const std::string& name : labels) {
    if (count == kNamed) return text + ", ...";
    text += (count++ == 0 ? "" : ", ") + name;
  }
  return text;
}

/// "3 masks (ground_truth/)"; empty where there is none.
std::string phrase(const Wording& wording, const std::vector<LeftOut>& all) {
  std::int64_t count = 0;
  std::set<std::string> labels;
  for (const LeftOut& one : all) {
    if (one.reason != wording.reason) continue;
    count += one.count;
    labels.insert(label(one));
  }
  if (count == 0) return {};
  return std::to_string(count) + " " + (count == 1 ? wording.one : wording.many) + " (" + joined(labels) + ")";
}

}  // namespace

FolderListing list_folder(const fs::path& folder, const ListingOptions& options) {
  FolderListing listing = Walk(folder, options).run();
  if (!options.masks) leave_out_masks(listing);
  leave_out_pages(folder, listing);
  return listing;
}

FolderListing list_image(const fs::path& file) {
  FolderListing listing{{file.filename()}, {}};
  leave_out_pages(file.parent_path(), listing);
  return listing;
}

std::string what_is_left_out(const FolderListing& listing) {
  std::string text;
  for (const Wording& wording : kWordings) {
    const std::string part = phrase(wording, listing.left_out);
    if (!part.empty()) text += (text.empty() ? "" : ", ") + part;
  }
  if (text.empty()) return text;
  const std::size_t taken = listing.images.size();
  return std::to_string(taken) + (taken == 1 ? " image" : " images") + " taken; left out: " + text;
}

void check_not_empty(const fs::path& folder, const FolderListing& listing) {
  if (!listing.images.empty()) return;
  const std::string rest = what_is_left_out(listing);
  throw Error(ErrorCode::bad_format, "folder " + in_quotes(folder) + " holds no image (" + kImageExtensions +
                                         "); a video is given by its file name" + (rest.empty() ? "" : "; " + rest));
}

bool is_image_name(const fs::path& path) {
  return std::ranges::find(kExtensions, lower_extension(path)) != kExtensions.end();
}

}  // namespace padim::tool
