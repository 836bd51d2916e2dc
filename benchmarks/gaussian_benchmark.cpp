// Statistics of a fit with the default model (P = 256, d = 256): the update by 16 frames at once, as a fit does it, and
// the whitening at its end, against plain double precision at some positions.

#include "statistics/gaussian.h"

#include <Eigen/Core>

#include "base/packed_triangle.h"
#include "packed.h"
#include "random_numbers.h"
#include "stage.h"

namespace {

constexpr int kPositions = 256;
constexpr int kDimensions = 256;
constexpr int kFrames = 16;
constexpr int kChecked = 32;  // one position in so many is checked
constexpr double kEpsilon = 0.1;
constexpr std::size_t kSize = std::size_t{kPositions} * kDimensions;

std::vector<float> random_embeddings() { return padim::test::normal_floats(kFrames * kSize, 1, 3); }

// Covariance at position p by its definition.
Eigen::MatrixXd covariance(const std::vector<float>& embeddings, int p) {
  Eigen::MatrixXd x(kFrames, kDimensions);
  for (int f = 0; f < kFrames; ++f) {
    for (int j = 0; j < kDimensions; ++j) {
      const auto at = static_cast<std::size_t>(f) * kSize + static_cast<std::size_t>(p * kDimensions + j);
      x(f, j) = static_cast<double>(embeddings[at]);
    }
  }
  const Eigen::MatrixXd centered = x.rowwise() - x.colwise().mean();
  return centered.transpose() * centered / (kFrames - 1);
}

double largest(const Eigen::MatrixXd& matrix) { return matrix.cwiseAbs().maxCoeff(); }

std::string check_comoment(const padim::Gaussian& gaussian, const std::vector<float>& embeddings) {
  double error = 0;
  for (int p = 0; p < kPositions; p += kChecked) {
    const auto packed = gaussian.comoment().subspan(static_cast<std::size_t>(p) * padim::triangle_size(kDimensions),
                                                    padim::triangle_size(kDimensions));
    const Eigen::MatrixXd ours = padim::test::unpack_symmetric(packed, kDimensions) / (gaussian.count() - 1);
    // The same frames again and again: their covariance, but for the divisor.
    const double repeats = gaussian.count() / kFrames;
    const Eigen::MatrixXd wanted =
        covariance(embeddings, p) * ((kFrames - 1) * repeats / (static_cast<double>(kFrames) * repeats - 1));
    error = std::max(error, largest(ours - wanted) / largest(wanted));
  }
  return padim::bench::within(error, 1e-5);
}

// W Sigma W^T is the identity, up to half precision.
std::string check_whitener(const std::vector<std::uint16_t>& whitener, const std::vector<float>& embeddings) {
  double error = 0;
  for (int p = 0; p < kPositions; p += kChecked) {
    const std::span<const std::uint16_t> packed(whitener);
    const Eigen::MatrixXd w =
        padim::test::unpack_whitener(packed.subspan(static_cast<std::size_t>(p) * padim::triangle_size(kDimensions),
                                                    padim::triangle_size(kDimensions)),
                                     kDimensions);
    const Eigen::MatrixXd identity = Eigen::MatrixXd::Identity(kDimensions, kDimensions);
    error = std::max(error, largest(w * (covariance(embeddings, p) + kEpsilon * identity) * w.transpose() - identity));
  }
  return padim::bench::within(error, 0.02);
}

void statistics_update(benchmark::State& state) {
  const auto embeddings = random_embeddings();
  padim::Gaussian gaussian(kPositions, kDimensions);
  padim::WorkerPool pool(static_cast<int>(state.range(0)));
  padim::bench::run_checked(
      state, [&] { gaussian.add(embeddings, kFrames, pool); }, [&] { return check_comoment(gaussian, embeddings); });
  state.counters["ms_per_frame"] = benchmark::Counter(static_cast<double>(state.iterations()) * kFrames * 1e-3,
                                                      benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void whitening(benchmark::State& state) {
  const auto embeddings = random_embeddings();
  padim::Gaussian gaussian(kPositions, kDimensions);
  padim::WorkerPool pool(static_cast<int>(state.range(0)));
  gaussian.add(embeddings, kFrames, pool);
  std::vector<std::uint16_t> whitener;
  padim::bench::run_checked(
      state, [&] { whitener = padim::whiten(gaussian.view(), padim::Regularisation{kEpsilon}, pool); },
      [&] { return check_whitener(whitener, embeddings); });
}

BENCHMARK(statistics_update)->ArgName("threads")->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(whitening)->ArgName("threads")->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
