#include "gst-common/jpegfile.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include <jpeglib.h>

namespace padim::gst {
namespace {

using Bytes = std::vector<std::uint8_t>;

/// A grey picture of noise, so that every bit of its data matters.
Bytes jpeg() {
  constexpr JDIMENSION kSize = 160;
  jpeg_compress_struct encoder = {};
  jpeg_error_mgr errors = {};
  encoder.err = jpeg_std_error(&errors);
  jpeg_create_compress(&encoder);
  unsigned char* memory = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&encoder, &memory, &size);
  encoder.image_width = encoder.image_height = kSize;
  encoder.input_components = 1;
  encoder.in_color_space = JCS_GRAYSCALE;
  jpeg_set_defaults(&encoder);
  jpeg_start_compress(&encoder, TRUE);
  std::mt19937 random(1);
  Bytes row(kSize);
  while (encoder.next_scanline < kSize) {
    for (std::uint8_t& value : row) value = static_cast<std::uint8_t>(random() % 256);
    JSAMPROW rows[] = {row.data()};
    jpeg_write_scanlines(&encoder, rows, 1);
  }
  jpeg_finish_compress(&encoder);
  jpeg_destroy_compress(&encoder);
  const Bytes file(memory, memory + size);
  std::free(memory);
  return file;
}

// A whole file is neither truncated nor damaged, with what phones append and cameras pad; nor is what is no JPEG.
TEST(JpegFileTest, WholeFilesPass) {
  Bytes file = jpeg();
  EXPECT_FALSE(is_damaged_jpeg(file));
  EXPECT_FALSE(is_truncated_jpeg(file));
  Bytes padded = file;
  padded.insert(padded.end() - 2, 300, 0);
  EXPECT_FALSE(is_damaged_jpeg(padded));
  file.insert(file.end(), 1000, 0x42);
  EXPECT_FALSE(is_damaged_jpeg(file));
  EXPECT_FALSE(is_damaged_jpeg({}));
  EXPECT_FALSE(is_damaged_jpeg(Bytes{1, 2, 3}));
}

// Bytes that changed in the middle of the data are noticed nearly always, and a header that makes no sense is.
TEST(JpegFileTest, DamageIsNoticed) {
  const Bytes whole = jpeg();
  std::mt19937 random(2);
  int noticed = 0;
  for (int run = 0; run < 100; ++run) {
    Bytes file = whole;
    for (int i = 0; i < 30; ++i) file[700 + random() % (file.size() - 702)] = static_cast<std::uint8_t>(random() % 255);
    noticed += is_damaged_jpeg(file) || is_truncated_jpeg(file) ? 1 : 0;
  }
  EXPECT_GE(noticed, 95);
  EXPECT_TRUE(is_damaged_jpeg(Bytes(whole.begin(), whole.begin() + 100)));
}

}  // namespace
}  // namespace padim::gst
