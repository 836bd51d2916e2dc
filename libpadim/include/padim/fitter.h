#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "padim/backbone.h"
#include "padim/export.h"
#include "padim/image_view.h"
#include "padim/limits.h"
#include "padim/model.h"

namespace padim {

/// What a model will be, and how its fit runs. All but batch_size, threads, max_statistics_bytes and augment becomes
/// part of the model. Ranges: padim/limits.h.
struct FitOptions {
  std::vector<std::string> taps{};  ///< names of the backbone's taps to use, in any order; empty: all of them
  Grid grid = Grid::coarsest;
  ReductionKind reduction = ReductionKind::none;  ///< pca learns its basis from the first 64 frames, or by observe()
  int dimensions = kDimensions.fallback;          ///< of all reductions but none, 1..F, the channels of the taps in use
  std::uint64_t seed = kSeed.fallback;            ///< of reductions random and semi_orthogonal, and of augment
  std::optional<double> epsilon{};  ///< absolute; takes precedence; neither given: the backbone's recommendation
  std::optional<double> relative_epsilon{};  ///< fraction of the mean variance
  /// How many frames the covariance pooled over all positions weighs as, beside each position's own: what lets few
  /// frames suffice. Not given: the backbone's recommendation; 0: the paper's estimate.
  std::optional<double> prior{};
  int search_radius = kSearchRadius.fallback;  ///< positions
  GeometryMode geometry = GeometryMode::full;
  Size input_size{};      ///< {0,0}: chosen from the first frame
  Roi roi = {};           ///< the part of the first frame that counts; recorded in the model, as is the mask
  MaskPicture mask = {};  ///< a picture of the whole frame: what is dark is ignored
  SourceKind source = SourceKind::stream;
  /// Frames unlike all others (covers, dark first frames, a passing hand) are left out; or they are kept, and named all
  /// the same. Not given: left out of a stream, kept among separate images.
  std::optional<bool> drop_outliers{};
  /// Wanted, per frame. std::nullopt: the threshold is not calibrated, which takes a single set of
  /// statistics, stores no embeddings and examines no frames: for evaluations that bring their own threshold.
  std::optional<double> false_alarm_rate = kFalseAlarmRate.fallback;
  /// Frames that are embedded together; 0: one per thread on the processor, 8 on a GPU.
  int batch_size = kBatchSize.fallback;
  /// Frames embedded in parallel, and threads of the statistics; not positive: all cores.
  int threads = kThreads.fallback;
  /// Extra copies of each frame, of augment_kind; the threshold allows for them. Negative: of kind light one for a
  /// stream and none for separate images, of kind rotate 8, and as many as before where a fit goes on.
  int augment = kAugment.fallback;
  /// light: what a camera does by itself. rotate: for parts that lie in any pose; harmful where the pose is fixed.
  AugmentKind augment_kind = AugmentKind::light;
  /// What ModelInfo says of pictures that had 16 bits per sample; 0: there are none. Frames come with 8 bits.
  int sample_bits = kSampleBits.fallback;
  /// Memory for the statistics of the calibration segments; where it is short there are fewer segments, with a warning.
  std::int64_t max_statistics_bytes = kMaximumStatisticsBytes;

  friend bool operator==(const FitOptions&, const FitOptions&) = default;
};

/// Fits a model on a stream of normal frames in one pass and constant memory (PaDiM, arXiv 2011.08785, section 3.2;
/// mergeable co-moments: Chan, Golub, LeVeque 1983). Not thread-safe: one thread at a time.
class PADIM_API Fitter {
 public:
  /// Throws invalid_argument for options outside their ranges.
  Fitter(std::shared_ptr<const Backbone> backbone, FitOptions options);

  /// Continues the fit that made `model`, as if it had never stopped. Of `options` only batch_size, threads, augment
  /// and max_statistics_bytes are used. Throws mismatch where the backbone is another one, invalid_argument where the
  /// model does not carry its statistics (it was stripped).
  Fitter(std::shared_ptr<const Backbone> backbone, const Model& model, FitOptions options = {});
  ~Fitter();
  Fitter(Fitter&&) noexcept;
  Fitter& operator=(Fitter&&) noexcept;

  /// True where the fit has a basis to learn (reduction pca) and no frame was added yet: whoever can show all frames
  /// twice shows them to observe() first.
  [[nodiscard]] bool wants_first_pass() const;

  /// First pass of reduction pca: the frame has its share in the basis, and is not counted as fitted. Throws mismatch
  /// as add() does, invalid_argument where wants_first_pass() is false.
  void observe(const ImageView& frame);

  /// Folds one normal frame in. name: a file or a time, by which the model tells of a frame that is unlike the others.
  /// Throws mismatch for a frame whose shape does not fit the first one's, leaving the
  /// statistics as they were.
  void add(const ImageView& frame, const std::string& name = {});

  /// Frames added so far, those of a continued model included, and without those that were left out until now.
  [[nodiscard]] std::int64_t frames() const;

  /// Completes the fit: covariances, whitening, threshold. `progress` is called with 0..1 from this thread; returning
  /// false stops the work (throws cancelled). The fitter can go on after it: add() more,
  /// finish() again. Throws numeric for fewer than 2 frames.
  [[nodiscard]] Model finish(const std::function<bool(double)>& progress = {});

 private:
  struct PADIM_LOCAL Impl;
  std::unique_ptr<Impl> impl_;
};

/// The model that one fit over the frames of both, a's first, would have given, up to rounding; calibration segments
/// included. The wanted false-alarm rate is that of `a`. Throws mismatch, naming the difference, where they do not fit
/// together (backbone, taps, grid, reduction, geometry, epsilon, search radius, kind of augmented copies, range of
/// 16-bit pictures), invalid_argument where one is stripped.
[[nodiscard]] PADIM_API Model merge(const Model& a, const Model& b, const std::function<bool(double)>& progress = {});

}  // namespace padim
