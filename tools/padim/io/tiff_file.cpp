// A TIFF is a chain of directories, one per picture: a count of entries, the entries of a tag, a type, a count and a
// value each, and the place of the next directory. BigTIFF is the same with places and counts of 8 bytes.

#include "io/tiff_file.h"

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

  [[nodiscard]] std::optional<std::uint64_t> value(std::uint64_t tag) {
    if (next_ == 0) return std::nullopt;
    const std::uint64_t entries = open_directory();
    const std::streamoff first = stream_.tellg();
    for (std::uint64_t i = 0; i < entries && stream_; ++i) {
      stream_.seekg(first + static_cast<std::streamoff>(i) * entry_size());
      if (number(2) == tag) return first_value();
    }
    return std::nullopt;
  }

 private:
  [[nodiscard]] int entry_size() const { return big_ ? 20 : 12; }
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

  // Goes to its entries and tells their number; 0 where there is none.
  std::uint64_t open_directory() {
    stream_.seekg(static_cast<std::streamoff>(next_));
    const std::uint64_t entries = number(big_ ? 8 : 2);
    return stream_ && entries <= 65535 ? entries : 0;
  }

  // Goes on to the next one; true for a page.
  bool read_directory() {
    const std::uint64_t entries = open_directory();
    next_ = 0;
    if (entries == 0) return false;
    const std::streamoff first = stream_.tellg();
    const bool smaller = is_smaller(entries);
    stream_.seekg(first + static_cast<std::streamoff>(entries) * entry_size());
    next_ = number(place_size());
    return !smaller;
  }

  // Of the entry whose tag was read: what does not fit into it lies elsewhere.
  std::optional<std::uint64_t> first_value() {
    constexpr std::uint64_t kShort = 3;
    constexpr std::uint64_t kLong = 4;
    const std::uint64_t type = number(2);
    const std::uint64_t count = number(place_size());
    if (type != kShort && type != kLong) return std::nullopt;
    const int size = type == kShort ? 2 : 4;
    if (count > static_cast<std::uint64_t>(place_size() / size)) {
      stream_.seekg(static_cast<std::streamoff>(number(place_size())));
    }
    return number(size);
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

std::optional<std::uint64_t> tiff_value(const std::filesystem::path& file, TiffTag tag) {
  return TiffReader(file).value(static_cast<std::uint64_t>(tag));
}

}  // namespace padim::tool
