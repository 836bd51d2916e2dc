// By fits without the frame: the closed form of leave_out.h keeps its share of the pooled covariance, which with few
// frames is worth more than copies bring.

#include "fit/copies_gain.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "base/half.h"
#include "base/packed_triangle.h"
#include "fit/scoring.h"
#include "fit/stored_frames.h"
#include "image/mask.h"
#include "statistics/near_copies.h"

namespace padim {
namespace {

constexpr int kLeftOut = 8;  // frames, each by a fit of its own

double log_determinant(const std::uint16_t* inverse_factor, int d) {
  double sum = 0;
  for (int i = 0; i < d; ++i) sum += std::log(static_cast<double>(half_to_float(inverse_factor[panel_diagonal(d, i)])));
  return -2 * sum;
}

class CopiesGain {
 public:
  CopiesGain(const Segments& segments, const ModelInfo& info, WorkerPool& pool)
      : info_(at_own_positions(info)),
        pool_(pool),
        stored_(segments, info.calibration.source),
        counts_(counting_positions(info.geometry.mask, info.geometry.input, info.positions)),
        all_(stored_.frames.size()) {
    std::iota(all_.begin(), all_.end(), 0);
    near_ = copied_images(pairwise_distances(stored_.subset(stored_.originals(all_)), pool));
  }

  [[nodiscard]] double mean() const {
    const auto count = std::min(static_cast<int>(all_.size()), kLeftOut);
    double sum = 0;
    for (int i = 0; i < count; ++i)
      sum += gain(all_[static_cast<std::size_t>(i) * all_.size() / static_cast<std::size_t>(count)]);
    return sum / count;
  }

 private:
  static ModelInfo at_own_positions(ModelInfo info) {
    info.search_radius = 0;
    return info;
  }

  [[nodiscard]] double gain(int frame) const {
    std::vector<int> rest = all_;
    for (const int like : near_[static_cast<std::size_t>(frame)]) std::erase(rest, like);
    std::erase(rest, frame);
    const std::vector<float> ones(rest.size(), 1.0F);
    const EmbeddingSet scored = stored_.subset(stored_.originals({frame}));
    return log_likelihood(scored, stored_.gaussian(stored_.with_copies(rest), pool_)) -
           log_likelihood(scored, gaussian_of(stored_.subset(stored_.originals(rest)), ones, pool_));
  }

  // Per dimension, without its constant, over the positions that count.
  [[nodiscard]] double log_likelihood(const EmbeddingSet& scored, const Gaussian& gaussian) const {
    const WhitenedGaussians model(gaussian.view(), info_, pool_);
    const WhitenedFit fit = model.fit();
    const std::vector<float> distances = distances_to(fit, scored, info_, pool_);
    double sum = 0;
    int counted = 0;
    for (std::size_t p = 0; p < distances.size(); ++p) {
      if (!counts_.empty() && counts_[p] == 0) continue;
      const auto distance = static_cast<double>(distances[p]);
      const std::uint16_t* whitener = fit.whitener.data() + p * triangle_size(info_.dimensions);
      sum -= (distance * distance + log_determinant(whitener, info_.dimensions)) / 2;
      ++counted;
    }
    return sum / (counted * info_.dimensions);
  }

  ModelInfo info_;
  WorkerPool& pool_;
  StoredFrames stored_;
  std::vector<std::uint8_t> counts_;  // per position
  std::vector<int> all_;              // stored frames
  std::vector<std::vector<int>> near_;
};

}  // namespace

double copies_gain(const Segments& segments, const ModelInfo& info, WorkerPool& pool) {
  return CopiesGain(segments, info, pool).mean();
}

}  // namespace padim
