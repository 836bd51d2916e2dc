#pragma once

#include <cstddef>
#include <span>

namespace padim {

/// Memory of this process alone: zeros at first, huge pages where it is large, given back to the system as a whole.
class Pages {
 public:
  /// Readable bytes behind the end, as kernels read a little too far.
  static constexpr std::size_t kPadding = 64;

  Pages() = default;
  explicit Pages(std::size_t size);  ///< throws std::bad_alloc
  ~Pages();
  Pages(Pages&& other) noexcept;
  Pages& operator=(Pages&& other) noexcept;

  /// Begins at a multiple of 4096.
  [[nodiscard]] std::span<std::byte> bytes() { return bytes_; }
  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::span<std::byte> bytes_;
};

}  // namespace padim
