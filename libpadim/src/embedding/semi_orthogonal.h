#pragma once

#include <cstdint>
#include <vector>

namespace padim {

/// A random projection W [rows, columns], row-major, whose columns are orthonormal: W^T W = I. The Q of W R = G, where
/// G [rows, columns] holds, row by row, what CPython's random.seed(seed); random.gauss(0, 1) draws, and the diagonal of
/// R is positive, which makes Q unique and uniformly distributed. 1 <= columns <= rows.
[[nodiscard]] std::vector<float> semi_orthogonal(std::uint64_t seed, int rows, int columns);

}  // namespace padim
