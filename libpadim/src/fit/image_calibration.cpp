// Leave-one-out scores come from the whole fit in closed form, where the pooled covariance keeps the image's share.
// With few images that share is large; so a few are left out for good, by fits of their own, and the ratio of the two
// scores corrects the others. Whether neighbours in order resemble each other (batches, groups) shows where images are
// left out with their neighbours instead of as many others. Both from docs/calibration.md.

#include "fit/image_calibration.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <random>
#include <string>

#include "base/logging.h"
#include "fit/scoring.h"
#include "fit/stored_frames.h"
#include "statistics/calibration.h"
#include "statistics/leave_out.h"
#include "statistics/near_copies.h"

namespace padim {
namespace {

constexpr int kAllRefitted = 16;  // images that are all left out for good
constexpr int kManyImages = 64;
constexpr double kFewDistinct = 2.5;  // pictures
constexpr float kOfTwo = 2.5F;    // what leaving one of two images out for good would raise its score by, if it could
constexpr int kOrderImages = 16;  // images from which their order is looked at
constexpr int kOrderBlocks = 8;
constexpr int kOrderScored = 4;  // images of each block

class ImageCalibration {
 public:
  ImageCalibration(const Segments& segments, const WhitenedGaussians& model, const ModelInfo& info, WorkerPool& pool)
      : segments_(segments), model_(model), info_(info), pool_(pool), stored_(segments, info.calibration.source) {
    for (std::size_t i = 0; i < stored_.frames.size(); ++i) {
      if (!segments.view(stored_.frames[i].segment).stretch) images_.push_back(static_cast<int>(i));
    }
    const auto copies = copied_images(pairwise_distances(stored_.subset(stored_.originals(images_)), pool));
    for (std::size_t i = 0; i < images_.size(); ++i) {
      std::vector<int> block{images_[i]};
      for (const int j : copies[i]) block.push_back(images_[static_cast<std::size_t>(j)]);
      distinct_ += 1 / static_cast<double>(block.size());
      blocks_.push_back(std::move(block));
    }
    count_ = images_.size();
    if (distinct_ < kFewDistinct) keep_one_of_each();
  }

  ImageScores scores(const Step& step) {
    warn_of_copies();
    ImageScores result;
    result.distinct = distinct_;
    if (!images_.empty()) result.scores = leave_one_out();
    step(0.4);
    refine(result.scores);
    step(0.8);
    if (images_.size() >= kOrderImages) result.order_factor = order_factor();
    for (int k = 0; k < segments_.size(); ++k) {
      if (segments_.view(k).stretch) result.stretches.push_back(without_stretch(k));
    }
    log(LogLevel::debug, [&] {
      return std::to_string(images_.size()) + " images left out one by one, " + short_text(distinct_) +
             " of them distinct; order factor " + short_text(result.order_factor);
    });
    return result;
  }

 private:
  // Of two pictures, each in copies, one is left when the other leaves: the rule for two images, for one of each.
  void keep_one_of_each() {
    std::vector<int> images;
    std::vector<std::vector<int>> blocks;
    for (std::size_t i = 0; i < images_.size(); ++i) {
      const bool kept = std::ranges::any_of(
          blocks, [&](const auto& block) { return std::ranges::find(block, images_[i]) != block.end(); });
      if (kept) continue;
      images.push_back(images_[i]);
      blocks.push_back(std::move(blocks_[i]));
    }
    images_ = std::move(images);
    blocks_ = std::move(blocks);
  }

  void warn_of_copies() const {
    if (distinct_ > static_cast<double>(count_) - 0.5) return;
    log(LogLevel::warning, "some of the " + std::to_string(count_) +
                               " images are nearly the same picture: they count as " +
                               short_text(std::round(distinct_)) +
                               " different ones; look for copies in the folder, they teach nothing new");
  }

  // Every frame counts in the model as it does here: nothing was forgotten, and its copies are stored.
  [[nodiscard]] bool counts_agree() const {
    double stored = 0;
    for (const float weight : stored_.weights) stored += static_cast<double>(weight);
    const auto share = static_cast<double>(segments_.frames()) / static_cast<double>(stored_.frames.size());
    return std::abs(segments_.statistics().count - stored * share) < 1e-6 * segments_.statistics().count;
  }

  // What images are taken out of: the model, or where images count otherwise in it a fit of what is stored.
  [[nodiscard]] WhitenedFit base() {
    if (counts_agree()) return model_.fit();
    if (!stored_fit_) {
      std::vector<int> all(static_cast<std::size_t>(stored_.embeddings.size()));
      std::iota(all.begin(), all.end(), 0);
      stored_gaussian_ = std::make_unique<Gaussian>(stored_.gaussian(all, pool_));
      stored_fit_ = std::make_unique<WhitenedGaussians>(stored_gaussian_->view(), info_, pool_);
    }
    return stored_fit_->fit();
  }

  [[nodiscard]] std::vector<float> scores_of(const std::vector<LeaveOut>& queries) {
    return image_scores(leave_out_distances(base(), stored_.embeddings, stored_.weights, queries, info_.positions,
                                            info_.search_radius, pool_),
                        info_);
  }

  std::vector<float> leave_one_out() {
    std::vector<LeaveOut> queries;
    for (std::size_t i = 0; i < images_.size(); ++i) {
      queries.push_back({stored_.originals({images_[i]}), stored_.with_copies(blocks_[i])});
    }
    return scores_of(queries);
  }

  // Needed where the pooled covariance counts, and possible where every image of the fit is stored.
  void refine(std::vector<float>& scores) {
    const auto n = static_cast<int>(images_.size());
    if (n == 2) std::ranges::transform(scores, scores.begin(), [](float score) { return kOfTwo * score; });
    if (info_.prior == 0 || n < 3 || stored_.frames.size() != static_cast<std::size_t>(segments_.frames())) return;
    const int refits = n <= kAllRefitted ? n : n <= kManyImages ? 8 : 4;
    double ratio = 0;
    int counted = 0;
    for (int r = 0; r < refits; ++r) {
      const auto i = static_cast<std::size_t>(r * n / refits);
      const float refitted = refit_without(i);
      if (!(refitted > 0 && scores[i] > 0)) continue;
      ratio += static_cast<double>(refitted) / static_cast<double>(scores[i]);
      ++counted;
      if (n <= kAllRefitted) scores[i] = refitted;
    }
    if (n <= kAllRefitted || counted == 0) return;
    for (float& score : scores) score *= static_cast<float>(ratio / counted);
  }

  // 0 where too few images remain.
  [[nodiscard]] float refit_without(std::size_t image) const {
    std::vector<int> rest(stored_.frames.size());
    std::iota(rest.begin(), rest.end(), 0);
    for (const int left_out : blocks_[image]) std::erase(rest, left_out);
    if (rest.size() < 2) return 0;
    return score_by(rest, stored_.originals({images_[image]})).front();
  }

  // Scores of embeddings by a fit of the given frames alone.
  [[nodiscard]] std::vector<float> score_by(const std::vector<int>& frames, const std::vector<int>& scored) const {
    const Gaussian gaussian = stored_.gaussian(stored_.with_copies(frames), pool_);
    const WhitenedGaussians model(gaussian.view(), info_, pool_);
    return image_scores(model.fit(), stored_.subset(scored), info_, pool_);
  }

  std::vector<float> without_stretch(int segment) const {
    std::vector<int> rest;
    for (std::size_t i = 0; i < stored_.frames.size(); ++i) {
      if (stored_.frames[i].segment != segment) rest.push_back(static_cast<int>(i));
    }
    return score_by(rest, stored_.originals(stored_.of_segment(segment)));
  }

  double order_factor() {
    std::vector<LeaveOut> queries;
    std::mt19937 random(1);
    for (int k = 0; k < kOrderBlocks; ++k) {
      const std::vector<int> scored = spread_in(k);
      const std::vector<int> neighbours = places(block_begin(k - 1), block_begin(k + 2));
      queries.push_back(query(scored, neighbours));
      queries.push_back(query(scored, elsewhere(scored, neighbours.size(), random)));
    }
    const std::vector<float> scores = scores_of(queries);
    double sum = 0;
    int counted = 0;
    std::size_t next = 0;
    for (std::size_t q = 0; q < queries.size(); q += 2) {
      const std::size_t count = queries[q].frames.size();
      for (std::size_t i = next; i < next + count; ++i) {
        if (!(scores[i] > 0 && scores[i + count] > 0)) continue;  // images that are all alike
        sum += std::log(static_cast<double>(scores[i]) / static_cast<double>(scores[i + count]));
        ++counted;
      }
      next += 2 * count;
    }
    return std::exp(sum / std::max(counted, 1));
  }

  [[nodiscard]] int block_begin(int block) const {
    return static_cast<int>(images_.size()) * std::clamp(block, 0, kOrderBlocks) / kOrderBlocks;
  }

  static std::vector<int> places(int begin, int end) {
    std::vector<int> result(static_cast<std::size_t>(end - begin));
    std::iota(result.begin(), result.end(), begin);
    return result;
  }

  // Into images_, as all places here.
  [[nodiscard]] std::vector<int> spread_in(int block) const {
    const int begin = block_begin(block);
    const int length = block_begin(block + 1) - begin;
    const int count = std::min(length, kOrderScored);
    std::vector<int> result;
    for (int i = 0; i < count; ++i) result.push_back(begin + i * length / count);
    return result;
  }

  // The scored ones with their near copies, and as many others from all over.
  [[nodiscard]] std::vector<int> elsewhere(const std::vector<int>& scored, std::size_t count,
                                           std::mt19937& random) const {
    std::vector<int> chosen;
    for (const int place : scored) {
      for (const int frame : blocks_[static_cast<std::size_t>(place)]) {
        const auto found = std::ranges::lower_bound(images_, frame);
        chosen.push_back(static_cast<int>(found - images_.begin()));
      }
    }
    std::ranges::sort(chosen);
    chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
    while (chosen.size() < count) {
      const auto place = static_cast<int>(random() % images_.size());
      if (std::ranges::find(chosen, place) == chosen.end()) chosen.push_back(place);
    }
    return chosen;
  }

  [[nodiscard]] LeaveOut query(const std::vector<int>& scored, const std::vector<int>& without) const {
    const auto frames = [&](const std::vector<int>& of) {
      std::vector<int> result;
      for (const int place : of) result.push_back(images_[static_cast<std::size_t>(place)]);
      return result;
    };
    return {stored_.originals(frames(scored)), stored_.with_copies(frames(without))};
  }

  const Segments& segments_;
  const WhitenedGaussians& model_;
  const ModelInfo& info_;
  WorkerPool& pool_;
  StoredFrames stored_;
  std::vector<int> images_;               // stored frames that are in no learned stretch
  std::vector<std::vector<int>> blocks_;  // per image: itself, then its near copies
  double distinct_ = 0;
  std::size_t count_ = 0;  // of images, copies included
  std::unique_ptr<Gaussian> stored_gaussian_;
  std::unique_ptr<WhitenedGaussians> stored_fit_;
};

}  // namespace

ImageScores leave_one_out(const Segments& segments, const WhitenedGaussians& model, const ModelInfo& info,
                          WorkerPool& pool, const Step& step) {
  return ImageCalibration(segments, model, info, pool).scores(step);
}

Calibration calibrate_images(const Segments& segments, const WhitenedGaussians& model, const ModelInfo& info,
                             WorkerPool& pool, const Step& step) {
  return calibrate_images(leave_one_out(segments, model, info, pool, step), info.calibration.false_alarm_rate);
}

}  // namespace padim
