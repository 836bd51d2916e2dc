#include "gst-common/jpegfile.h"

#include <cstddef>

namespace padim::gst {

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

}  // namespace padim::gst
