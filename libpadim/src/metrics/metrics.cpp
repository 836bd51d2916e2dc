// All measures come from one walk over the distinct scores, the highest first: how many normal and how many anomalous
// samples each has, and what those add to the mean overlap of the defects. Scores are floats, so they are walked as
// integer keys; the sorted, packed runs of all images are unpacked side by side into counters for one window of keys
// after the other, which needs neither a merge of hundreds of runs nor the curve in memory.
//   AUROC  Mann-Whitney's U over normal * anomalous pairs, ties half: a sum of integers, exact up to the one division
//   AP     mean over the anomalous samples of the precision at their score
//   F1     2 TP / (2 TP + FP + FN)
//   AU-PRO trapezoids under overlap over false-positive rate, the last one cut at the limit, divided by the limit
// The first three must equal scikit-learn's roc_auc_score, average_precision_score and the maximum over
// precision_recall_curve to the last bits of a double; AU-PRO that of MVTec's evaluation to 1e-9.

#include "padim/metrics.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <map>
#include <string>
#include <tuple>
#include <utility>

#include "image/connected_runs.h"
#include "metrics/packed_scores.h"
#include "padim/error.h"

namespace padim {
namespace {

constexpr std::size_t kWindow = std::size_t{1} << 18U;  // keys; their counters stay in the cache
constexpr double kCurveStep = 0.001;

/// The samples of one distinct score.
struct Tie {
  std::uint32_t key = 0;
  std::int64_t normal = 0;
  std::int64_t anomalous = 0;
  double overlap = 0;  // summed over defects
};

/// Area under a curve from 0 to `limit` on the x axis.
class AreaUpTo {
 public:
  explicit AreaUpTo(double limit) : limit_(limit) {}

  void add(double x0, double y0, double x1, double y1) {
    if (x0 >= limit_ || x1 <= x0) return;
    if (x1 > limit_) y1 = y0 + (y1 - y0) * (limit_ - x0) / (std::exchange(x1, limit_) - x0);
    area_ += (x1 - x0) * (y0 + y1) / 2;
  }

  [[nodiscard]] double normalised() const { return area_ / limit_; }

 private:
  double limit_;
  double area_ = 0;
};

/// Takes the ties by falling score.
class Integrator {
 public:
  Integrator(std::int64_t normal, std::int64_t anomalous, std::int64_t defects)
      : normal_(normal), anomalous_(anomalous), defects_(defects), curve_(1) {}

  void add(const Tie& tie) {
    const CurvePoint before = point();
    twice_u_ += static_cast<std::uint64_t>(tie.normal) * static_cast<std::uint64_t>(2 * tp_ + tie.anomalous);
    fp_ += tie.normal;
    tp_ += tie.anomalous;
    overlap_ += tie.overlap;
    precision_sum_ += static_cast<double>(tie.anomalous) * share(tp_, tp_ + fp_);
    const double f1 = share(2 * tp_, tp_ + fp_ + anomalous_);
    if (f1 >= best_f1_) std::tie(best_f1_, best_key_) = std::pair(f1, tie.key);
    const CurvePoint after = point();
    for (AreaUpTo* area : {&pro_30_, &pro_05_}) {
      area->add(before.false_positive_rate, before.region_overlap, after.false_positive_rate, after.region_overlap);
    }
    trace(before, after);
  }

  void finish(RankingQuality& quality) {
    if (anomalous_ > 0) {
      quality.average_precision = precision_sum_ / static_cast<double>(anomalous_);
      quality.best_f1 = best_f1_;
      quality.best_f1_threshold = static_cast<double>(score_of(best_key_));
    }
    if (anomalous_ == 0 || normal_ == 0) return;
    quality.auroc =
        static_cast<double>(twice_u_) / (2.0 * static_cast<double>(anomalous_) * static_cast<double>(normal_));
    quality.aupro_30 = pro_30_.normalised();
    quality.aupro_05 = pro_05_.normalised();
    if (!same(curve_.back(), point())) curve_.push_back(point());
    quality.curve = std::move(curve_);
  }

 private:
  static double share(std::int64_t part, std::int64_t whole) {
    return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
  }

  static double distance(const CurvePoint& a, const CurvePoint& b) {
    return std::max({std::abs(a.false_positive_rate - b.false_positive_rate),
                     std::abs(a.true_positive_rate - b.true_positive_rate),
                     std::abs(a.region_overlap - b.region_overlap)});
  }

  static bool same(const CurvePoint& a, const CurvePoint& b) { return distance(a, b) == 0; }

  [[nodiscard]] CurvePoint point() const {
    const double overlap = defects_ > 0 ? overlap_ / static_cast<double>(defects_) : 0;
    return {share(fp_, normal_), share(tp_, anomalous_), std::min(overlap, 1.0)};  // a sum of rounded shares
  }

  // A long step is a straight line, so it needs the point that it starts from.
  void trace(const CurvePoint& before, const CurvePoint& after) {
    if (distance(after, before) >= kCurveStep && !same(curve_.back(), before)) curve_.push_back(before);
    if (distance(after, curve_.back()) >= kCurveStep) curve_.push_back(after);
  }

  std::int64_t normal_;
  std::int64_t anomalous_;
  std::int64_t defects_;
  std::int64_t fp_ = 0;
  std::int64_t tp_ = 0;
  double overlap_ = 0;
  std::uint64_t twice_u_ = 0;
  double precision_sum_ = 0;  // over the anomalous samples
  double best_f1_ = 0;
  std::uint32_t best_key_ = 0;
  AreaUpTo pro_30_{0.3};
  AreaUpTo pro_05_{0.05};
  std::vector<CurvePoint> curve_;
};

/// Walks runs of keys side by side, window after window.
class Sweep {
 public:
  /// samples: in all runs together; few of them lie far apart, so that large windows would be mostly empty.
  explicit Sweep(std::int64_t samples) : window_(std::min(std::bit_ceil(static_cast<std::size_t>(samples)), kWindow)) {}

  void add(std::span<const std::uint8_t> run, bool anomalous, double overlap) {
    sources_.push_back({PackedReader(run), anomalous, overlap});
  }

  /// Calls take(Tie) for every distinct key, ascending.
  template <class Take>
  void run(const Take& take) {
    while (drop_finished()) {
      const auto base =
          std::ranges::min_element(sources_, {}, [](const Source& s) { return s.reader.key(); })->reader.key();
      for (Source& source : sources_) count(source, base);
      for (std::size_t i = 0; i < window_.size(); ++i) {
        Tie& tie = window_[i];
        if (tie.normal + tie.anomalous == 0) continue;
        tie.key = base + static_cast<std::uint32_t>(i);
        take(std::as_const(tie));
        tie = {};
      }
    }
  }

 private:
  struct Source {
    PackedReader reader;
    bool anomalous;
    double overlap;
  };

  bool drop_finished() {
    std::erase_if(sources_, [](const Source& source) { return source.reader.done(); });
    return !sources_.empty();
  }

  void count(Source& source, std::uint32_t base) {
    // A copy, so that it stays in registers.
    PackedReader reader = source.reader;
    for (; !reader.done() && reader.key() - base < window_.size(); reader.next()) {
      Tie& tie = window_[reader.key() - base];
      ++(source.anomalous ? tie.anomalous : tie.normal);
      tie.overlap += source.overlap;
    }
    source.reader = reader;
  }

  std::vector<Source> sources_;
  std::vector<Tie> window_;
};

void require(bool ok, const std::string& message) {
  if (!ok) throw Error(ErrorCode::invalid_argument, message);
}

void require_finite(std::span<const float> scores) {
  const auto broken = std::ranges::find_if(scores, [](float score) { return !std::isfinite(score); });
  require(broken == scores.end(),
          "scores must be finite: number " + std::to_string(broken - scores.begin()) + " is not");
}

void append_range(std::span<const float> values, std::vector<float>& to) {
  to.insert(to.end(), values.begin(), values.end());
}

}  // namespace

void Ranking::add_run(std::span<const float> scores, std::vector<Run>& runs, double overlap) {
  if (scores.empty()) return;
  std::vector<std::uint32_t> keys(scores.size());
  std::ranges::transform(scores, keys.begin(), key_of);
  sort_keys(keys);
  runs.push_back({pack(keys), overlap});
}

void Ranking::add_normal(std::span<const float> scores) {
  require_finite(scores);
  add_run(scores, normal_runs_, 0);
  normal_ += static_cast<std::int64_t>(scores.size());
}

void Ranking::add_defect(std::span<const float> scores) {
  require_finite(scores);
  add_run(scores, anomalous_runs_, 1.0 / static_cast<double>(scores.size()));
  anomalous_ += static_cast<std::int64_t>(scores.size());
  defects_ += scores.empty() ? 0 : 1;
}

void Ranking::add_pixels(std::span<const float> scores, std::span<const std::uint8_t> mask, int width) {
  require(width > 0 && scores.size() == mask.size() && mask.size() % static_cast<std::size_t>(width) == 0,
          "scores and mask must be images of the same size: " + std::to_string(scores.size()) + " scores, " +
              std::to_string(mask.size()) + " mask pixels, width " + std::to_string(width));
  require_finite(scores);
  if (std::ranges::count(mask, 0) == static_cast<std::ptrdiff_t>(mask.size())) return add_normal(scores);
  std::vector<ConnectedRun> defects;
  find_connected_runs(mask, width, defects);
  std::map<std::size_t, std::vector<float>> by_size;  // defects of one size add the same: they may share a run
  std::vector<float> normal;
  std::size_t taken = 0;
  for (std::size_t i = 0; i < defects.size(); ++i) {
    const ConnectedRun& run = defects[i];
    const std::size_t row = static_cast<std::size_t>(run.row) * static_cast<std::size_t>(width);
    const std::size_t begin = row + static_cast<std::size_t>(run.begin);
    const std::size_t end = row + static_cast<std::size_t>(run.end);
    const std::size_t root = root_of(defects, i);
    append_range(scores.subspan(taken, begin - taken), normal);
    append_range(scores.subspan(begin, end - begin), by_size[defects[root].component.count]);
    defects_ += root == i ? 1 : 0;
    taken = end;
  }
  append_range(scores.subspan(taken), normal);
  for (const auto& [size, anomalous] : by_size) {
    add_run(anomalous, anomalous_runs_, 1.0 / static_cast<double>(size));
    anomalous_ += static_cast<std::int64_t>(anomalous.size());
  }
  add_normal(normal);
}

void Ranking::append(Ranking&& other) {
  std::ranges::move(other.normal_runs_, std::back_inserter(normal_runs_));
  std::ranges::move(other.anomalous_runs_, std::back_inserter(anomalous_runs_));
  normal_ += other.normal_;
  anomalous_ += other.anomalous_;
  defects_ += other.defects_;
  other = {};
}

RankingQuality Ranking::quality() const {
  Sweep sweep(normal_ + anomalous_);
  for (const Run& run : normal_runs_) sweep.add(run.bytes, false, 0);
  for (const Run& run : anomalous_runs_) sweep.add(run.bytes, true, run.overlap);
  Integrator integrator(normal_, anomalous_, defects_);
  sweep.run([&](const Tie& tie) { integrator.add(tie); });
  RankingQuality quality;
  quality.normal = normal_;
  quality.anomalous = anomalous_;
  quality.defects = defects_;
  integrator.finish(quality);
  return quality;
}

double auroc(std::span<const float> scores, std::span<const std::uint8_t> labels) {
  require(scores.size() == labels.size(), "AUROC needs one label per score: " + std::to_string(scores.size()) +
                                              " scores, " + std::to_string(labels.size()) + " labels");
  std::vector<float> normal;
  std::vector<float> anomalous;
  for (std::size_t i = 0; i < scores.size(); ++i) (labels[i] != 0 ? anomalous : normal).push_back(scores[i]);
  require(!anomalous.empty(), "AUROC needs at least one anomalous label");
  require(!normal.empty(), "AUROC needs at least one normal label");
  Ranking ranking;
  ranking.add_normal(normal);
  ranking.add_defect(anomalous);
  return *ranking.quality().auroc;
}

}  // namespace padim
