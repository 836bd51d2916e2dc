#include "fit/copies_gain.h"

#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "fit/scoring.h"
#include "fit/stored_frames.h"
#include "image/mask.h"
#include "statistics/leave_out.h"
#include "statistics/near_copies.h"

namespace padim {
namespace {

double log_likelihood(const EmbeddingSet& fitted, std::span<const float> weights, const std::vector<LeaveOut>& queries,
                      const ModelInfo& info, WorkerPool& pool) {
  const Gaussian gaussian = gaussian_of(fitted, weights, pool);
  const WhitenedGaussians model(gaussian.view(), info, pool);
  const auto counts = counting_positions(info.geometry.mask, info.geometry.input, info.positions);
  return leave_out_log_likelihood(model.fit(), fitted, weights, queries, counts, pool);
}

}  // namespace

double copies_gain(const Segments& segments, const ModelInfo& info, WorkerPool& pool) {
  const StoredFrames stored(segments, info.calibration.source);
  std::vector<int> all(stored.frames.size());
  std::iota(all.begin(), all.end(), 0);
  const EmbeddingSet originals = stored.subset(stored.originals(all));
  std::vector<std::vector<int>> blocks = near_copies(pairwise_distances(originals, pool));
  std::vector<LeaveOut> alone;
  std::vector<LeaveOut> with_copies;
  for (const int frame : all) {
    std::vector<int>& block = blocks[static_cast<std::size_t>(frame)];
    block.push_back(frame);
    with_copies.push_back({stored.originals({frame}), stored.with_copies(block)});
    alone.push_back({{frame}, std::move(block)});
  }
  const std::vector<float> ones(all.size(), 1.0F);
  return log_likelihood(stored.embeddings, stored.weights, with_copies, info, pool) -
         log_likelihood(originals, ones, alone, info, pool);
}

}  // namespace padim
