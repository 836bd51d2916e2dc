#include "base/pages.h"

#include <sys/mman.h>

#include <limits>
#include <new>
#include <utility>

namespace padim {

Pages::Pages(std::size_t size) {
  if (size > std::numeric_limits<std::size_t>::max() - kPadding) throw std::bad_alloc();
  void* data = ::mmap(nullptr, size + kPadding, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) throw std::bad_alloc();
  ::madvise(data, size + kPadding, MADV_HUGEPAGE);  // a wish: what follows works without
  bytes_ = {static_cast<std::byte*>(data), size};
}

Pages::~Pages() {
  if (bytes_.data() != nullptr) ::munmap(bytes_.data(), bytes_.size() + kPadding);
}

Pages::Pages(Pages&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

Pages& Pages::operator=(Pages&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  return *this;
}

}  // namespace padim
