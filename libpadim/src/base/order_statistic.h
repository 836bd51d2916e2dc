#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

namespace padim {

/// The value of this rank, from 0, in rising order. Reorders the values; rank < values.size().
template <class T>
[[nodiscard]] T order_statistic(std::span<T> values, std::size_t rank) {
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(rank);
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

/// The upper of the two middle ones where their number is even. Reorders the values; there must be some.
template <class T>
[[nodiscard]] T median(std::span<T> values) {
  return order_statistic(values, values.size() / 2);
}

}  // namespace padim
