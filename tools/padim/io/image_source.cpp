#include "io/image_source.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <future>
#include <iterator>
#include <map>
#include <utility>
#include <vector>

#include <opencv2/core/utils/logger.hpp>
#include <opencv2/imgcodecs.hpp>

#include "gst-common/jpegfile.h"
#include "gst-common/maskfile.h"
#include "io/file_io.h"
#include "io/gst_pipeline.h"
#include "io/tiff_file.h"
#include "padim/error.h"
#include "terminal/progress.h"

namespace padim::tool {
namespace {

constexpr int kAllBits = 16;
constexpr int kDeepColour = cv::IMREAD_COLOR | cv::IMREAD_ANYDEPTH;

struct Decoded {
  Picture picture;
  std::string failure;  ///< empty where the image was read
};

Decoded decode(const std::filesystem::path& file, int bits) {
  try {
    return {read_picture(file, bits), {}};
  } catch (const std::exception& error) {
    return {{}, error.what()};
  }
}

// Why OpenCV could make nothing of it.
std::string cause_of(const std::filesystem::path& file, const std::vector<std::uint8_t>& bytes) {
  constexpr std::uint64_t kFloats = 3;
  constexpr std::uint8_t kPng[] = {0x89, 'P', 'N', 'G'};
  if (bytes.empty()) return "the file is empty";
  if (tiff_value(file, TiffTag::sample_format) == kFloats) {
    return "its samples are floating-point numbers; save it with 8 or 16 bits per sample";
  }
  const bool png = bytes.size() >= std::size(kPng) && std::equal(std::begin(kPng), std::end(kPng), bytes.begin());
  return png ? "the file is damaged or truncated" : "not an image, or broken";
}

double largest_in(const cv::Mat& samples) {
  double largest = 0;
  cv::minMaxIdx(samples.reshape(1), nullptr, &largest);
  return largest;
}

class ImageSource : public FrameSource {
 public:
  ImageSource(InputKind kind, std::filesystem::path root, FolderListing listing, const SampleRange& range)
      : kind_(kind), root_(std::move(root)), left_out_(what_is_left_out(listing)), files_(std::move(listing.images)) {
    for (const auto& file : files_) ++stems_[stem_of(file)];
    range_ = range.bits > 0 ? range : find_sample_range(files());
  }

  const Frame* next() override {
    while (current_ < files_.size()) {
      read_ahead();
      decoded_ = ahead_.front().get();
      ahead_.pop_front();
      const std::size_t number = current_++;
      note_depth(decoded_.picture);
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
  [[nodiscard]] int sample_bits() const override { return range_.bits; }
  [[nodiscard]] std::int64_t above_range() const override { return above_range_; }

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
      ahead_.push_back(std::async(kPolicy, decode, root_ / files_[current_ + ahead_.size()], range_.bits));
    }
  }

  void note_depth(const Picture& picture) {
    if (picture.deep && !range_.reason.empty()) {
      notice(to_string(range_));
      range_.reason.clear();
    }
    above_range_ += picture.above ? 1 : 0;
  }

  const Frame* describe(std::size_t number) {
    const std::filesystem::path& file = files_[number];
    frame_.view = bgr_view(decoded_.picture.pixels);
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
  SampleRange range_;
  std::int64_t above_range_ = 0;
  std::size_t current_ = 0;
  std::int64_t unreadable_ = 0;
  Decoded decoded_;
  Frame frame_;
  std::deque<std::future<Decoded>> ahead_;
};

}  // namespace

std::unique_ptr<FrameSource> open_image_folder(const std::filesystem::path& folder, const ListingOptions& options,
                                               const SampleRange& range) {
  FolderListing listing = list_folder(folder, options);
  check_not_empty(folder, listing);
  return std::make_unique<ImageSource>(InputKind::folder, folder, std::move(listing), range);
}

std::unique_ptr<FrameSource> open_single_image(const std::filesystem::path& file, const SampleRange& range) {
  return std::make_unique<ImageSource>(InputKind::image, file.parent_path(), list_image(file), range);
}

// The top bits in use. As OpenCV rounds what it scales, half of what is cut off goes first.
Picture read_picture(const std::filesystem::path& file, int bits) {
  const bool deep = read_deep_header(file).deep;
  if (!deep || bits == 0 || bits == kAllBits) return {read_image(file, cv::IMREAD_COLOR), deep, false};
  Picture picture{read_image(file, kDeepColour), deep, false};
  if (picture.pixels.depth() == CV_8U) return picture;
  const int step = 1 << (bits - 8);
  picture.above = largest_in(picture.pixels) >= 256.0 * step;
  picture.pixels.convertTo(picture.pixels, CV_8U, 1.0 / step, 0.5 / step - 0.5);
  return picture;
}

std::string above_range(std::int64_t pictures, int bits) {
  return std::to_string(pictures) + (pictures == 1 ? " 16-bit picture has" : " 16-bit pictures have") +
         " values above " + std::to_string((1 << bits) - 1) + ", the most of the " + std::to_string(bits) +
         " bits in use: they were taken for white; where they are right, fit again with more --bits";
}

int largest_sample(const std::filesystem::path& file) {
  return static_cast<int>(largest_in(read_image(file, kDeepColour)));
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
  std::string cause = cause_of(file, bytes);
  if (gst::is_truncated_jpeg(bytes)) {
    cause = "the file is truncated";
  } else if (gst::is_damaged_jpeg(bytes)) {
    cause = "the file is damaged";
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
