// The level of later frames is that of frames far from those in the fit, since drift does not stop: what is held out
// leaves with a gap of neighbours on both sides. Copies stand for what the camera does that the fit did not see. Both
// from docs/calibration.md.

#include "fit/stream_calibration.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>
#include <string>
#include <utility>

#include "base/logging.h"
#include "fit/image_calibration.h"
#include "fit/scoring.h"
#include "fit/stored_frames.h"
#include "image/mask.h"
#include "scene/limits.h"
#include "statistics/calibration.h"

namespace padim {
namespace {

constexpr std::int64_t kShortStream = 100;     // frames below which the gap is one segment wider
constexpr std::size_t kScoredPerSegment = 10;  // frames

class StreamCalibration {
 public:
  StreamCalibration(const Segments& segments, const ModelInfo& info, WorkerPool& pool, const Step& step)
      : segments_(segments),
        info_(info),
        pool_(pool),
        step_(step),
        stored_(segments, info.calibration.source),
        counts_(counting_positions(info.geometry.mask, info.geometry.input, info.positions)) {
    for (int k = 0; k < segments.size(); ++k) {
      (segments.view(k).stretch ? stretches_ : regular_).push_back(k);
      parts_.push_back(stored_.with_copies(stored_.of_segment(k)));
    }
    weigh();
  }

  [[nodiscard]] std::vector<std::vector<float>> medians() && { return std::move(medians_); }

  StreamScores scores() {
    StreamScores result;
    result.segments = segments_.size();
    result.frames = segments_.frames();
    const auto count = static_cast<double>(segments_.size());
    for (std::size_t i = 0; i < regular_.size(); ++i) {
      step_(static_cast<double>(i) / count);
      score(regular_[i], others(static_cast<int>(i)), result.originals, result.copies);
    }
    for (std::size_t i = 0; i < stretches_.size(); ++i) {
      step_(static_cast<double>(regular_.size() + i) / count);
      std::vector<float> copies;
      score(stretches_[i], all_but(stretches_[i]), result.stretches.emplace_back(), copies);
    }
    return result;
  }

 private:
  // What each stored frame of a segment stands for.
  void weigh() {
    for (int k = 0; k < segments_.size(); ++k) {
      const SegmentView view = segments_.view(k);
      const auto kept = static_cast<double>(std::max<std::size_t>(view.copies.size(), 1));
      weights_.push_back(static_cast<float>(view.weight * static_cast<double>(view.frames) / kept));
    }
  }

  [[nodiscard]] int gap() const {
    const auto count = static_cast<int>(regular_.size());
    return std::max(1, (count + 1) / 4 + (segments_.frames() < kShortStream ? 1 : 0));
  }

  // Segments beyond the gap around the i-th regular one; the farthest where there are too few for a covariance.
  [[nodiscard]] std::vector<int> others(int i) const {
    std::vector<int> by_distance(regular_.size());
    std::iota(by_distance.begin(), by_distance.end(), 0);
    std::ranges::stable_sort(by_distance, std::ranges::greater{}, [i](int j) { return std::abs(j - i); });
    std::vector<int> chosen = stretches_;
    std::size_t count = 0;
    for (const int j : by_distance) {
      if (j == i || (std::abs(j - i) <= gap() && count >= 2)) break;
      chosen.push_back(regular_[static_cast<std::size_t>(j)]);
      count += parts_[static_cast<std::size_t>(chosen.back())].size();
    }
    return chosen;
  }

  [[nodiscard]] std::vector<int> all_but(int segment) const {
    std::vector<int> chosen;
    for (int k = 0; k < segments_.size(); ++k) {
      if (k != segment) chosen.push_back(k);
    }
    return chosen;
  }

  // Of what is stored of segments, counting as many frames as it is made of, whatever was thinned or forgotten.
  [[nodiscard]] Gaussian gaussian_of_segments(const std::vector<int>& segments) const {
    std::vector<int> chosen;
    std::vector<float> weights;
    for (const int k : segments) {
      const auto& part = parts_[static_cast<std::size_t>(k)];
      chosen.insert(chosen.end(), part.begin(), part.end());
      weights.resize(chosen.size(), weights_[static_cast<std::size_t>(k)]);
    }
    const float stood_for = std::reduce(weights.begin(), weights.end());
    for (float& weight : weights) weight *= static_cast<float>(weights.size()) / stood_for;
    return gaussian_of(stored_.subset(chosen), weights, pool_);
  }

  void score(int segment, const std::vector<int>& by, std::vector<float>& originals, std::vector<float>& copies) {
    const std::vector<int> frames = evenly(stored_.of_segment(segment));
    const Gaussian rest = gaussian_of_segments(by);
    const WhitenedGaussians model(rest.view(), info_, pool_);
    const auto distances = distances_to(model.fit(), stored_.subset(stored_.with_copies(frames)), info_, pool_);
    const auto scored = image_scores(distances, info_);
    const auto positions = static_cast<std::size_t>(segments_.positions());
    std::vector<float>& medians = medians_.emplace_back();
    std::vector<float> scratch;
    std::size_t next = 0;
    for (const int frame : frames) {
      medians.push_back(median_distance(std::span(distances).subspan(next * positions, positions), counts_, scratch));
      originals.push_back(scored[next++]);
      for (int copy = 0; copy < stored_.frames[static_cast<std::size_t>(frame)].copies; ++copy) {
        copies.push_back(scored[next++]);
      }
    }
    log(LogLevel::debug, [&] {
      return "segment " + std::to_string(segment + 1) + " of " + std::to_string(segments_.size()) + ": " +
             std::to_string(frames.size()) + " frames scored by a model of " + std::to_string(by.size()) + " segments";
    });
  }

  static std::vector<int> evenly(const std::vector<int>& all) {
    const std::size_t count = std::min(all.size(), kScoredPerSegment);
    std::vector<int> chosen;
    for (std::size_t i = 0; i < count; ++i) chosen.push_back(all[i * all.size() / count]);
    return chosen;
  }

  const Segments& segments_;
  const ModelInfo& info_;
  WorkerPool& pool_;
  const Step& step_;
  StoredFrames stored_;
  std::vector<std::uint8_t> counts_;         // per position
  std::vector<int> regular_;                 // segments, in stream order
  std::vector<int> stretches_;               // those that were learned
  std::vector<std::vector<int>> parts_;      // each segment's stored frames and copies
  std::vector<float> weights_;               // of each segment's stored frames, relative to each other
  std::vector<std::vector<float>> medians_;  // of the distances of each segment's held-out frames
};

// What is left must be two embeddings at least: frames, or a frame and its copy.
bool can_be_held_out(const Segments& segments) { return segments.frames() > 2 || segments.statistics().count > 2; }

}  // namespace

Calibration calibrate_stream(const Segments& segments, const WhitenedGaussians& model, const ModelInfo& info,
                             WorkerPool& pool, const Step& step, std::vector<std::vector<float>>* medians) {
  if (!can_be_held_out(segments)) {
    const ImageScores scores = leave_one_out(segments, model, info, pool, step);
    return calibrate_stream({scores.scores, {}, scores.stretches, segments.size()}, info.calibration.false_alarm_rate);
  }
  StreamCalibration held_out(segments, info, pool, step);
  const StreamScores scores = held_out.scores();
  if (medians != nullptr) *medians = std::move(held_out).medians();
  return calibrate_stream(scores, info.calibration.false_alarm_rate);
}

}  // namespace padim
