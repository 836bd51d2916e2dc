#include "io/npy.h"

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "io/file_io.h"

namespace padim::tool {

static_assert(std::endian::native == std::endian::little, "the values are written as they lie in memory");

void write_npy(const std::filesystem::path& file, const ScoreMap& map) {
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + std::to_string(map.height) + ", " +
                       std::to_string(map.width) + "), }";
  // Magic, version and length take 10 bytes; the format wants the data aligned to 64.
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';
  const auto length = static_cast<std::uint16_t>(header.size());
  std::string start = "\x93NUMPY";
  start += '\x01';
  start += '\0';
  start += static_cast<char>(length & 0xFFU);
  start += static_cast<char>(length >> 8U);
  start += header;
  std::vector<std::uint8_t> bytes(start.size() + map.values.size() * sizeof(float));
  std::memcpy(bytes.data(), start.data(), start.size());
  std::memcpy(bytes.data() + start.size(), map.values.data(), map.values.size() * sizeof(float));
  write_file(file, bytes);
}

}  // namespace padim::tool
