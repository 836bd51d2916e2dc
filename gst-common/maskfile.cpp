#include "gst-common/maskfile.h"

#include <gst/video/video.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <system_error>

#include "gst-common/jpegfile.h"
#include "gst-common/owned.h"
#include "gst-common/videoframe.h"
#include "padim/error.h"

namespace padim::gst {
namespace {

constexpr GstClockTime kPatience = 10 * GST_SECOND;

[[noreturn]] void fail(const std::filesystem::path& file, const std::string& cause) {
  throw Error(ErrorCode::cannot_read, "cannot read mask '" + file.string() + "': " + cause +
                                          "; give a picture of a whole frame, for example a PNG, whose dark places "
                                          "are ignored");
}

void check_file(const std::filesystem::path& file) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) {
    throw Error(ErrorCode::not_found, "mask '" + file.string() + "' does not exist");
  }
  gchar* bytes = nullptr;
  gsize size = 0;
  GError* error = nullptr;
  g_file_get_contents(file.c_str(), &bytes, &size, &error);
  const Owned<GError> failure(error);
  const Owned<gchar> contents(bytes);
  if (failure) fail(file, failure->message);
  if (is_truncated_jpeg({reinterpret_cast<const std::uint8_t*>(bytes), size})) fail(file, "it is truncated");
  if (is_damaged_jpeg({reinterpret_cast<const std::uint8_t*>(bytes), size})) fail(file, "it is damaged");
}

// libav's decoders of BMP and TIFF, which decodebin would take, do not find the end of the picture in a file.
const char* decoder_for(const std::filesystem::path& file) {
  const Owned<gchar> extension(g_ascii_strdown(file.extension().c_str(), -1));
  const std::string name = extension.get();
  return name == ".bmp" || name == ".tif" || name == ".tiff" ? "gdkpixbufdec" : "decodebin";
}

// An eraser leaves the colour of what it makes transparent.
std::uint8_t brightness(const std::uint8_t* rgba) {
  const int luma = (77 * rgba[0] + 150 * rgba[1] + 29 * rgba[2]) / 256;
  return static_cast<std::uint8_t>(rgba[3] == 0 ? 0 : luma);
}

// Tools of image segmentation write 0 and 1, or numbers of classes, which all are dark.
void check_not_labels(const std::filesystem::path& file, const MaskPicture& mask) {
  constexpr int kBright = 128;
  const int most = *std::max_element(mask.values.begin(), mask.values.end());
  if (most == 0 || most >= kBright) return;
  fail(file,
       "all of it is dark, as its values end at " + std::to_string(most) + "; write 255 where the picture counts");
}

/// A pipeline with a picture at its end.
class PictureDecoder {
 public:
  explicit PictureDecoder(const std::filesystem::path& file) : file_(file) {
    GError* error = nullptr;
    pipeline_.reset(gst_parse_launch_full((std::string("filesrc name=source ! ") + decoder_for(file) +
                                           " ! videoconvert ! video/x-raw,format=RGBA ! fakesink name=sink sync=false")
                                              .c_str(),
                                          nullptr, GST_PARSE_FLAG_FATAL_ERRORS, &error));
    const Owned<GError> failure(error);
    if (failure) fail(file, failure->message);
    gst_object_ref_sink(pipeline_.get());
    g_object_set(child("source").get(), "location", file.c_str(), nullptr);
  }
  ~PictureDecoder() { gst_element_set_state(pipeline_.get(), GST_STATE_NULL); }
  PictureDecoder(const PictureDecoder&) = delete;
  PictureDecoder& operator=(const PictureDecoder&) = delete;

  /// The first picture of the file.
  [[nodiscard]] Owned<GstSample> decode() {
    gst_element_set_state(pipeline_.get(), GST_STATE_PAUSED);
    wait();
    GstSample* picture = nullptr;
    g_object_get(child("sink").get(), "last-sample", &picture, nullptr);
    if (picture == nullptr) fail(file_, "there is no picture in it");
    return Owned<GstSample>(picture);
  }

 private:
  [[nodiscard]] Owned<GstElement> child(const char* name) const {
    return Owned<GstElement>(gst_bin_get_by_name(GST_BIN(pipeline_.get()), name));
  }

  void wait() const {
    const Owned<GstBus> bus(gst_element_get_bus(pipeline_.get()));
    const auto ends = static_cast<GstMessageType>(GST_MESSAGE_ASYNC_DONE | GST_MESSAGE_ERROR);
    const Owned<GstMessage> end(gst_bus_timed_pop_filtered(bus.get(), kPatience, ends));
    if (!end) fail(file_, "it took too long");
    if (GST_MESSAGE_TYPE(end.get()) != GST_MESSAGE_ERROR) return;
    GError* error = nullptr;
    gst_message_parse_error(end.get(), &error, nullptr);
    fail(file_, Owned<GError>(error)->message);
  }

  const std::filesystem::path& file_;
  Owned<GstElement> pipeline_;
};

}  // namespace

MaskPicture read_mask(const std::filesystem::path& file) {
  check_file(file);
  PictureDecoder decoder(file);
  const Owned<GstSample> picture = decoder.decode();
  GstVideoInfo info;
  if (!gst_video_info_from_caps(&info, gst_sample_get_caps(picture.get()))) fail(file, "there is no picture in it");
  const MappedFrame mapped(info, gst_sample_get_buffer(picture.get()), GST_MAP_READ);
  const ImageView pixels = mapped.view();
  MaskPicture mask{pixels.width, pixels.height};
  for (int y = 0; y < pixels.height; ++y) {
    const std::uint8_t* row = pixels.data[0] + y * pixels.stride[0];
    for (int x = 0; x < pixels.width; ++x) mask.values.push_back(brightness(row + std::ptrdiff_t{4} * x));
  }
  check_not_labels(file, mask);
  return mask;
}

}  // namespace padim::gst
