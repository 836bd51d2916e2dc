#include "io/image_source.h"

#include <deque>
#include <future>
#include <map>
#include <utility>
#include <vector>

#include <opencv2/core/utils/logger.hpp>
#include <opencv2/imgcodecs.hpp>

#include "gst-common/jpegfile.h"
#include "gst-common/maskfile.h"
#include "io/file_io.h"
#include "io/gst_pipeline.h"
#include "padim/error.h"
#include "terminal/progress.h"

namespace padim::tool {
namespace {

struct Decoded {
  cv::Mat image;
  std::string failure;  ///< empty where the image was read
};

Decoded decode(const std::filesystem::path& file) {
  try {
    return {read_image(file, cv::IMREAD_COLOR), {}};
  } catch (const std::exception& error) {
    return {{}, error.what()};
  }
}

class ImageSource : public FrameSource {
 public:
  ImageSource(InputKind kind, std::filesystem::path root, FolderListing listing)
      : kind_(kind), root_(std::move(root)), left_out_(what_is_left_out(listing)), files_(std::move(listing.images)) {
    for (const auto& file : files_) ++stems_[stem_of(file)];
  }

  const Frame* next() override {
    while (current_ < files_.size()) {
      read_ahead();
      decoded_ = ahead_.front().get();
      ahead_.pop_front();
      const std::size_t number = current_++;
      if (decoded_.failure.empty()) return describe(number);
      ++unreadable_;
      notice(decoded_.failure);
    }
    return nullptr;
  }

  [[nodiscard]] InputKind kind() const override { return kind_; }
  [[nodiscard]] std::int64_t length() const override { return static_cast<std::int64_t>(files_.size()); }
  [[nodiscard]] std::int64_t unreadable() const override { return unreadable_; }
  [[nodiscard]] std::string left_out() const override { return left_out_; }

  [[nodiscard]] std::vector<std::filesystem::path> files() const override {
    std::vector<std::filesystem::path> paths;
    for (const auto& file : files_) paths.push_back(root_ / file);
    return paths;
  }

 private:
  static std::filesystem::path stem_of(std::filesystem::path file) { return file.replace_extension(); }

  // Decoding a large image takes longer than its inspection: the next ones are decoded meanwhile.
  void read_ahead() {
    constexpr std::size_t kAhead = 3;
    while (ahead_.size() < kAhead && current_ + ahead_.size() < files_.size()) {
      // Deferred where the system has no further thread.
      constexpr auto kPolicy = std::launch::async | std::launch::deferred;
      ahead_.push_back(std::async(kPolicy, decode, root_ / files_[current_ + ahead_.size()]));
    }
  }

  const Frame* describe(std::size_t number) {
    const std::filesystem::path& file = files_[number];
    frame_.view = bgr_view(decoded_.image);
    frame_.source = (root_ / file).string();
    frame_.relative = file;
    // "a.png" beside "a.jpg": both keep their extension, so that neither overwrites the other's results.
    frame_.stem = stems_.at(stem_of(file)) > 1 ? file : stem_of(file);
    frame_.number = static_cast<std::int64_t>(number);
    return &frame_;
  }

  InputKind kind_;
  std::filesystem::path root_;
  std::string left_out_;
  std::vector<std::filesystem::path> files_;  ///< below root_
  std::map<std::filesystem::path, int> stems_;
  std::size_t current_ = 0;
  std::int64_t unreadable_ = 0;
  Decoded decoded_;
  Frame frame_;
  std::deque<std::future<Decoded>> ahead_;
};

}  // namespace

std::unique_ptr<FrameSource> open_image_folder(const std::filesystem::path& folder, const ListingOptions& options) {
  FolderListing listing = list_folder(folder, options);
  check_not_empty(folder, listing);
  return std::make_unique<ImageSource>(InputKind::folder, folder, std::move(listing));
}

std::unique_ptr<FrameSource> open_single_image(const std::filesystem::path& file) {
  return std::make_unique<ImageSource>(InputKind::image, file.parent_path(), list_image(file));
}

ImageView bgr_view(const cv::Mat& image) {
  ImageView view;
  view.format = PixelFormat::bgr;
  view.width = image.cols;
  view.height = image.rows;
  view.data[0] = image.data;
  view.stride[0] = static_cast<std::ptrdiff_t>(image.step[0]);
  return view;
}

cv::Mat read_image(const std::filesystem::path& file, int flags) {
  // OpenCV's own complaints would name neither the file nor the remedy.
  cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
  const std::vector<std::uint8_t> bytes = read_file(file);
  std::string cause = bytes.empty() ? "the file is empty" : "not an image, or broken";
  if (gst::is_truncated_jpeg(bytes)) {
    cause = "the file is truncated";
  } else if (!bytes.empty()) {
    try {
      cv::Mat image = cv::imdecode(bytes, flags | cv::IMREAD_IGNORE_ORIENTATION);
      if (!image.empty()) return image;
    } catch (const cv::Exception& error) {
      cause = error.err;
    }
  }
  throw Error(ErrorCode::bad_format, "cannot read image " + in_quotes(file) + ": " + cause);
}

MaskPicture read_mask(const std::filesystem::path& file) {
  start_gstreamer();
  return gst::read_mask(file);
}

}  // namespace padim::tool
