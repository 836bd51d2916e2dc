// A file that is given as a mask: a picture that GStreamer decodes, or a sentence; and its use on a frame of its size.

#include <gst/gst.h>

#include <cstdint>
#include <span>

#include "gst-common/maskfile.h"
#include "padim/error.h"
#include "scratch_file.h"

// Decoders keep what they have allocated for good.
extern "C" const char* __asan_default_options() { return "detect_leaks=0"; }  // NOLINT: the sanitizer's name

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  gst_init(argc, argv);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const padim::test::ScratchFile file(std::as_bytes(std::span(data, size)));
  try {
    const padim::MaskPicture mask = padim::gst::read_mask(file.path());
    const padim::Size frame{mask.width, mask.height};
    static_cast<void>(choose_geometry(padim::GeometryMode::full, {}, frame, 16, {}, mask));
  } catch (const padim::Error&) {
  }
  return 0;
}
