#include "io/own_picture.h"

#include <array>
#include <fstream>
#include <string_view>

namespace padim::tool {
namespace {

constexpr std::string_view kSignature = "\npadim result\n";

}  // namespace

void sign_picture(std::vector<std::uint8_t>& bytes) { bytes.insert(bytes.end(), kSignature.begin(), kSignature.end()); }

bool is_own_picture(const std::filesystem::path& file) {
  constexpr auto kSize = static_cast<std::streamoff>(kSignature.size());
  std::array<char, kSignature.size()> end{};
  std::ifstream stream(file, std::ios::binary);
  stream.seekg(-kSize, std::ios::end);
  return stream.read(end.data(), kSize) && std::string_view(end.data(), end.size()) == kSignature;
}

}  // namespace padim::tool
