#include "gst-common/jpegfile.h"

#include <algorithm>
#include <csetjmp>
#include <cstddef>
#include <cstdio>

#include <jpeglib.h>

#include <jerror.h>

namespace padim::gst {
namespace {

// What libjpeg calls with its complaints. Nothing with a destructor may live where it jumps over.
struct Complaints {
  jpeg_error_mgr base;
  std::jmp_buf gave_up;
  bool damaged;
  int left_over;  ///< bytes before the end-of-image marker that no pixel needed
};

Complaints& complaints_of(j_common_ptr decoder) { return *reinterpret_cast<Complaints*>(decoder->err); }

void give_up(j_common_ptr decoder) {
  complaints_of(decoder).damaged = true;
  std::longjmp(complaints_of(decoder).gave_up, 1);
}

void note(j_common_ptr decoder, int level) {
  if (level >= 0) return;
  const int what = decoder->err->msg_code;
  const auto& values = decoder->err->msg_parm.i;
  if (what == JWRN_EXTRANEOUS_DATA && values[1] == JPEG_EOI) complaints_of(decoder).left_over = values[0];
  if (what == JWRN_HUFF_BAD_CODE || what == JWRN_HIT_MARKER || what == JWRN_MUST_RESYNC ||
      what == JWRN_ARITH_BAD_CODE) {
    complaints_of(decoder).damaged = true;
  }
}

// Where the decoder lost its way it has the picture too early. Some cameras fill up with zeros, or leave a byte or two.
bool is_padding(std::span<const std::uint8_t> bytes) {
  constexpr std::size_t kFew = 4;
  return bytes.size() <= kFew || std::ranges::all_of(bytes, [](std::uint8_t b) { return b == 0 || b == 0xFF; });
}

// At an eighth of the size all data is read, but hardly a pixel computed.
void read_through(jpeg_decompress_struct& decoder, std::span<const std::uint8_t> file) {
  jpeg_create_decompress(&decoder);
  jpeg_mem_src(&decoder, file.data(), static_cast<unsigned long>(file.size()));
  jpeg_read_header(&decoder, TRUE);
  decoder.scale_num = 1;
  decoder.scale_denom = 8;
  jpeg_start_decompress(&decoder);
  const JDIMENSION samples = decoder.output_width * static_cast<JDIMENSION>(decoder.output_components);
  JSAMPARRAY row = (*decoder.mem->alloc_sarray)(reinterpret_cast<j_common_ptr>(&decoder), JPOOL_IMAGE, samples, 1);
  while (decoder.output_scanline < decoder.output_height) jpeg_read_scanlines(&decoder, row, 1);
  jpeg_finish_decompress(&decoder);
  Complaints& complaints = complaints_of(reinterpret_cast<j_common_ptr>(&decoder));
  const auto read = static_cast<std::size_t>(decoder.src->next_input_byte - file.data());
  const auto left_over = std::min(static_cast<std::size_t>(complaints.left_over), read);
  const std::size_t marker = std::min<std::size_t>(2, read - left_over);
  if (!is_padding(file.subspan(read - marker - left_over, left_over))) complaints.damaged = true;
}

}  // namespace

// Walks from marker to marker: segments tell their length, and inside the compressed data 0xFF is escaped. What follows
// the end-of-image marker (phones append whole videos) does not matter.
bool is_truncated_jpeg(std::span<const std::uint8_t> file) {
  if (file.size() < 4 || file[0] != 0xFF || file[1] != 0xD8) return false;
  std::size_t at = 2;
  while (at + 3 < file.size()) {
    const std::uint8_t marker = file[at + 1];
    if (file[at] != 0xFF || marker == 0xFF) {
      ++at;
    } else if (marker == 0xD9) {
      return false;
    } else if (marker <= 0x01 || (marker >= 0xD0 && marker <= 0xD8)) {  // an escaped 0xFF, or a marker without data
      at += 2;
    } else {
      at += 2 + static_cast<std::size_t>(file[at + 2] << 8 | file[at + 3]);
    }
  }
  return at + 1 >= file.size() || file[file.size() - 2] != 0xFF || file.back() != 0xD9;
}

bool is_damaged_jpeg(std::span<const std::uint8_t> file) {
  if (file.size() < 2 || file[0] != 0xFF || file[1] != 0xD8) return false;
  Complaints complaints = {};
  jpeg_decompress_struct decoder = {};
  decoder.err = jpeg_std_error(&complaints.base);
  complaints.base.error_exit = give_up;
  complaints.base.emit_message = note;
  if (setjmp(complaints.gave_up) == 0) read_through(decoder, file);
  jpeg_destroy_decompress(&decoder);
  return complaints.damaged;
}

}  // namespace padim::gst
