// A TIFF is a chain of directories, one per picture: a count of entries, the entries of a tag, a type, a count and a
// value each, and the place of the next directory. BigTIFF is the same with places and counts of 8 bytes.

#include "io/tiff_pages.h"

#include <fstream>
#include <string>

namespace padim::tool {
namespace {

constexpr std::uint64_t kSubfileType = 254;  // the tag whose lowest bit says that it is a smaller copy
constexpr int kMostPages = 65536;            // ends a chain that is a circle

class TiffReader {
 public:
  explicit TiffReader(const std::filesystem::path& file) : stream_(file, std::ios::binary) {
    std::string order(2, ' ');
    stream_.read(order.data(), 2);
    little_ = order == "II";
    const std::uint64_t version = number(2);
    big_ = version == 43;
    if (big_) number(4);
    const bool known = (little_ || order == "MM") && (version == 42 || big_);
    next_ = known ? number(place_size()) : 0;
  }

  [[nodiscard]] std::int64_t count() {
    std::int64_t pages = 0;
    for (int i = 0; next_ != 0 && i < kMostPages; ++i) pages += read_directory() ? 1 : 0;
    return pages;
  }

 private:
  [[nodiscard]] int place_size() const { return big_ ? 8 : 4; }

  // 0 where the file ends before.
  std::uint64_t number(int bytes) {
    std::uint64_t value = 0;
    for (int i = 0; i < bytes; ++i) {
      const int byte = stream_.get();
      if (byte < 0) return 0;
      value |= static_cast<std::uint64_t>(byte) << (8 * (little_ ? i : bytes - 1 - i));
    }
    return value;
  }

  // Goes on to the next one; true for a page.
  bool read_directory() {
    stream_.seekg(static_cast<std::streamoff>(next_));
    const std::uint64_t entries = number(big_ ? 8 : 2);
    next_ = 0;
    if (!stream_ || entries == 0 || entries > 65535) return false;
    const std::streamoff first = stream_.tellg();
    const bool smaller = is_smaller(entries);
    stream_.seekg(first + static_cast<std::streamoff>(entries) * (big_ ? 20 : 12));
    next_ = number(place_size());
    return !smaller;
  }

  bool is_smaller(std::uint64_t entries) {
    for (std::uint64_t i = 0; i < entries && stream_; ++i) {
      const std::uint64_t tag = number(2);
      number(2);
      number(place_size());
      const std::uint64_t value = number(4);
      if (big_) number(4);
      if (tag == kSubfileType) return (value & 1) != 0;
    }
    return false;
  }

  std::ifstream stream_;
  bool little_ = false;
  bool big_ = false;
  std::uint64_t next_ = 0;
};

}  // namespace

std::int64_t count_tiff_pages(const std::filesystem::path& file) { return TiffReader(file).count(); }

}  // namespace padim::tool
