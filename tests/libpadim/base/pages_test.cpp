#include "base/pages.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>
#include <utility>

namespace padim::test {
namespace {

// Zeros that may be written, aligned, with readable bytes behind them also where they fill whole pages.
TEST(Pages, AreZerosWithPadding) {
  for (const std::size_t size : {1U, 63U, 4096U, 8192U, 3U << 20}) {
    Pages pages(size);
    ASSERT_EQ(pages.bytes().size(), size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(pages.bytes().data()) % 4096, 0U);
    EXPECT_TRUE(std::ranges::all_of(pages.bytes(), [](std::byte byte) { return byte == std::byte{0}; }));
    std::ranges::fill(pages.bytes(), std::byte{7});
    const std::byte* volatile behind = pages.bytes().data() + size;
    for (std::size_t i = 0; i < Pages::kPadding; ++i) EXPECT_EQ(behind[i], std::byte{0});
  }
}

TEST(Pages, Move) {
  Pages pages(100);
  pages.bytes()[99] = std::byte{5};
  Pages moved = std::move(pages);
  pages = Pages(10);
  std::swap(pages, moved);
  EXPECT_EQ(pages.bytes().size(), 100U);
  EXPECT_EQ(pages.bytes()[99], std::byte{5});
  EXPECT_EQ(moved.bytes().size(), 10U);
  EXPECT_TRUE(Pages().bytes().empty());
}

TEST(Pages, SayWhereThereAreNone) {
  for (const std::size_t size : {std::numeric_limits<std::size_t>::max(), std::size_t{1} << 50}) {
    EXPECT_THROW(Pages{size}, std::bad_alloc);
  }
}

}  // namespace
}  // namespace padim::test
