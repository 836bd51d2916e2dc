#include "fit/outliers.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/order_statistic.h"
#include "fit/scoring.h"
#include "statistics/leave_out.h"

namespace padim {
namespace {

constexpr int kFewest = 5;
constexpr int kRounds = 3;
constexpr double kDeviations = 4;
constexpr double kOddImage = 1.25;  // over the median, of images: worth a look
constexpr double kMostDropped = 0.3;
// Without a prior, a frame that is left out of few is far away in some direction or other that they do not span.
constexpr double kJudgesPrior = 30;

// Frames that would hide each other.
std::vector<std::vector<int>> like_each(const Eigen::MatrixXf& distances, const ModelInfo& info) {
  return info.calibration.source == SourceKind::images ? copied_images(distances) : near_copies(distances);
}

// The frames that are still in.
class Round {
 public:
  Round(const EmbeddingSet& all, std::vector<int> in) : in_(std::move(in)) {
    set_ = {all.positions, all.dimensions, {}};
    for (const int i : in_) set_.frames.push_back(all.frames[static_cast<std::size_t>(i)]);
  }

  // Moves those that stand out to `found`; false where none do.
  bool find(const Eigen::MatrixXf& distances, const ModelInfo& info, WorkerPool& pool, Outliers& found) const {
    const std::vector<double> logs = log_scores(distances, info, pool);
    std::vector<double> sorted = logs;
    const double middle = median(std::span(sorted));
    std::vector<double> deviations;
    for (const double value : logs) deviations.push_back(std::abs(value - middle));
    const double limit =
        middle + std::max(kDeviations * 1.4826 * median(std::span(deviations)),
                          std::log(info.calibration.source == SourceKind::images ? kOddImage : kGrossRatio));
    const std::size_t before = found.frames.size();
    for (std::size_t i = 0; i < logs.size(); ++i) {
      if (logs[i] <= limit) continue;
      found.frames.push_back(in_[i]);
      found.ratio.push_back(std::exp(logs[i] - middle));
    }
    return found.frames.size() > before;
  }

 private:
  [[nodiscard]] std::vector<double> log_scores(const Eigen::MatrixXf& distances, const ModelInfo& info,
                                               WorkerPool& pool) const {
    const std::vector<float> weights(in_.size(), 1.0F);
    const Gaussian gaussian = gaussian_of(set_, weights, pool);
    const WhitenedGaussians model(gaussian.view(), info, pool);
    const Eigen::MatrixXf own = distances(in_, in_);
    std::vector<LeaveOut> queries;
    for (std::vector<int>& copies : like_each(own, info)) {
      const auto frame = static_cast<int>(queries.size());
      copies.push_back(frame);
      queries.push_back({{frame}, std::move(copies)});
    }
    const std::vector<float> scores = image_scores(
        leave_out_distances(model.fit(), set_, weights, queries, info.positions, info.search_radius, pool), info);
    std::vector<double> logs;
    for (const float score : scores) logs.push_back(std::log(std::max(static_cast<double>(score), 1e-9)));
    return logs;
  }

  std::vector<int> in_;
  EmbeddingSet set_;
};

void sort_by_frame(Outliers& found) {
  std::vector<std::size_t> order(found.frames.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) { return found.frames[i]; });
  Outliers sorted;
  for (const std::size_t i : order) {
    sorted.frames.push_back(found.frames[i]);
    sorted.ratio.push_back(found.ratio[i]);
  }
  found = std::move(sorted);
}

}  // namespace

Outliers find_outliers(const EmbeddingSet& frames, const Eigen::MatrixXf& distances, const ModelInfo& info,
                       WorkerPool& pool) {
  Outliers found;
  if (frames.size() < kFewest) return found;
  ModelInfo judge = info;
  judge.prior = std::max(judge.prior, kJudgesPrior);
  std::vector<int> in(static_cast<std::size_t>(frames.size()));
  std::iota(in.begin(), in.end(), 0);
  for (int round = 0; round < kRounds; ++round) {
    if (!Round(frames, in).find(distances, judge, pool, found)) break;
    if (static_cast<double>(found.frames.size()) > kMostDropped * frames.size()) return {{}, {}, true};
    std::erase_if(in, [&](int i) { return std::ranges::find(found.frames, i) != found.frames.end(); });
  }
  sort_by_frame(found);
  return found;
}

}  // namespace padim
