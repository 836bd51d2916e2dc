// Semi-orthogonal embedding (Kim, Park, Cho, Kang, arXiv 2105.14737): a random low-rank embedding whose rows are
// orthonormal approximates the Mahalanobis distance better than picked channels. W is the Q of a Gaussian matrix; with
// a positive diagonal of R it is uniformly (Haar) distributed over all of its kind (Mezzadri 2007). QR by Gram and
// Schmidt, each column twice, which leaves W^T W = I to rounding in double precision ("twice is enough", Giraud, Langou
// and Rozloznik 2005). Must match numpy.linalg.qr with the signs turned to 1e-6.

#include "embedding/semi_orthogonal.h"

#include <cmath>
#include <span>

#include "base/cpython_random.h"

namespace padim {
namespace {

// Four partial sums, in a fixed order: fast without letting the compiler reorder.
double dot(std::span<const double> a, std::span<const double> b) {
  double sums[4] = {};
  std::size_t i = 0;
  for (; i + 4 <= a.size(); i += 4) {
    for (std::size_t k = 0; k < 4; ++k) sums[k] += a[i + k] * b[i + k];
  }
  for (; i < a.size(); ++i) sums[0] += a[i] * b[i];
  return sums[0] + sums[1] + sums[2] + sums[3];
}

void remove_component(std::span<const double> direction, std::span<double> column) {
  const double length = dot(direction, column);
  for (std::size_t i = 0; i < column.size(); ++i) column[i] -= length * direction[i];
}

}  // namespace

std::vector<float> semi_orthogonal(std::uint64_t seed, int rows, int columns) {
  const auto n = static_cast<std::size_t>(rows);
  const auto d = static_cast<std::size_t>(columns);
  CPythonRandom random(seed);
  std::vector<double> transposed(d * n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < d; ++j) transposed[j * n + i] = random.gauss();
  }
  const auto column = [&](std::size_t j) { return std::span(transposed).subspan(j * n, n); };
  for (std::size_t j = 0; j < d; ++j) {
    for (int pass = 0; pass < 2; ++pass) {
      for (std::size_t k = 0; k < j; ++k) remove_component(column(k), column(j));
    }
    const double norm = std::sqrt(dot(column(j), column(j)));
    for (double& value : column(j)) value /= norm;
  }
  std::vector<float> matrix(n * d);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < d; ++j) matrix[i * d + j] = static_cast<float>(transposed[j * n + i]);
  }
  return matrix;
}

}  // namespace padim
