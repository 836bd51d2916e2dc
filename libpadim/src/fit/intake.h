#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/worker_pool.h"
#include "padim/model.h"
#include "statistics/embedding_set.h"
#include "statistics/near_copies.h"
#include "statistics/segments.h"

namespace padim {

/// Frames on their way into a fit, held back until they can be compared with what came after them: frames unlike all
/// others are left out or named, and those of a stream that show an earlier passage again are left out. Copies share
/// their frames. One thread at a time.
class Intake {
 public:
  enum class OutlierPolicy { name, drop };

  explicit Intake(OutlierPolicy policy) : policy_(policy) {}

  /// A real frame: what is known of it beside its embedding.
  struct About {
    std::string name;    ///< for messages about it
    bool blank = false;  ///< black, white or without any contrast
  };

  /// Takes an embedding [P, d]; the augmented copies of a frame follow it. about: of a real frame.
  void add(std::span<const float> embedding, Segments::Kind kind, About about);

  /// The next frame needs room: release() first.
  [[nodiscard]] bool full() const;

  /// Examines all frames, moves the older half of them, or all, to `segments`, and reports in `examination`.
  void release(bool all, Segments& segments, const ModelInfo& info, Examination& examination, WorkerPool& pool);

  [[nodiscard]] std::int64_t frames() const { return static_cast<std::int64_t>(frames_.size()); }

 private:
  struct Frame {
    std::vector<std::shared_ptr<const std::vector<float>>> embeddings;  // the frame's, then its copies'
    About about;
    std::int64_t number = 0;
    bool left_out = false;  // as a repeat, or as an outlier where these are dropped
    bool named = false;     // as an outlier
  };

  void examine(const ModelInfo& info, Examination& examination, WorkerPool& pool);
  void leave_out_repeats(const Eigen::MatrixXf& distances, Examination& examination);
  void leave_out_blanks(Examination& examination);
  void judge_outliers(const EmbeddingSet& all, const Eigen::MatrixXf& distances, const ModelInfo& info,
                      Examination& examination, WorkerPool& pool);
  void name_outlier(Frame& frame, const std::string& how, Examination& examination) const;

  OutlierPolicy policy_;
  std::vector<Frame> frames_;
  std::int64_t seen_ = 0;
};

}  // namespace padim
