#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "padim/backbone.h"
#include "padim/image_view.h"
#include "padim/model.h"

namespace padim {

inline constexpr double kStreamFalseAlarmRate = 0.001;  ///< per frame of a video or stream
inline constexpr double kImageFalseAlarmRate = 0.01;    ///< per image of a folder of separate images

struct FitOptions {
  Grid grid = Grid::coarsest;
  ReductionKind reduction = ReductionKind::none;
  int dimensions = 100;  ///< of reduction random, 1..F
  std::uint64_t seed = 1024;
  std::optional<double> epsilon;  ///< absolute, > 0; takes precedence; neither given: the backbone's recommendation
  std::optional<double> relative_epsilon;  ///< fraction of the mean variance, > 0
  int search_radius = 0;                   ///< positions, 0..4
  GeometryMode geometry = GeometryMode::full;
  Size input_size;                                  ///< {0,0}: chosen from the first frame
  double false_alarm_rate = kStreamFalseAlarmRate;  ///< wanted, per frame, in (0, 0.5]
  int batch_size = 0;  ///< frames that are embedded together; 0: one per thread on the processor, 8 on a GPU
  int threads = -1;    ///< frames embedded in parallel, and threads of the statistics; not positive: all cores
  /// Memory for the statistics of the calibration segments; where it is short there are fewer segments, with a warning.
  std::int64_t max_statistics_bytes = std::int64_t{3} << 30;
};

/// Fits a model on a stream of normal frames in one pass and constant memory (PaDiM, arXiv 2011.08785, section 3.2;
/// mergeable co-moments: Chan, Golub, LeVeque 1983). Not thread-safe: one thread at a time.
class Fitter {
 public:
  /// Throws invalid_argument for options outside their ranges.
  Fitter(std::shared_ptr<const Backbone> backbone, FitOptions options);
  ~Fitter();
  Fitter(Fitter&&) noexcept;
  Fitter& operator=(Fitter&&) noexcept;

  /// Folds one normal frame in. Throws mismatch for a frame whose shape does not fit the first one's, leaving the
  /// statistics as they were.
  void add(const ImageView& frame);

  /// Frames added so far.
  [[nodiscard]] std::int64_t frames() const;

  /// Completes the fit: covariances, whitening, threshold. `progress` is called with 0..1 from this thread; returning
  /// false stops the work (throws cancelled). The fitter can go on after it: add() more,
  /// finish() again. Throws numeric for fewer than 4 frames.
  [[nodiscard]] Model finish(const std::function<bool(double)>& progress = {});

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace padim
