#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace padim {

/// Position of a score on the axis of all floats, the highest first: a < b exactly when score_of(a) > score_of(b). The
/// two zeros share a key.
[[nodiscard]] std::uint32_t key_of(float score);
[[nodiscard]] float score_of(std::uint32_t key);

/// Ascending, in time linear in their number.
void sort_keys(std::vector<std::uint32_t>& keys);

/// Ascending keys as differences, 7 bits to a byte.
[[nodiscard]] std::vector<std::uint8_t> pack(std::span<const std::uint32_t> ascending);

/// Walks the keys of a packed run in order.
class PackedReader {
 public:
  explicit PackedReader(std::span<const std::uint8_t> bytes) : at_(bytes.data()), end_(at_ + bytes.size()) { next(); }

  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] std::uint32_t key() const { return key_; }  ///< not when done

  void next() {
    done_ = at_ == end_;
    if (done_) return;
    std::uint32_t difference = *at_ & 0x7FU;
    for (unsigned shift = 7; *at_++ & 0x80U; shift += 7) difference |= (*at_ & 0x7FU) << shift;
    key_ += difference;
  }

 private:
  const std::uint8_t* at_;
  const std::uint8_t* end_;
  std::uint32_t key_ = 0;
  bool done_ = false;
};

}  // namespace padim
