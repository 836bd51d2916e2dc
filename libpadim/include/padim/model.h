#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "padim/backbone.h"
#include "padim/calibration.h"
#include "padim/export.h"
#include "padim/geometry.h"
#include "padim/scene.h"

namespace padim {

/// The patch positions: of the finest tap (paper; coarser taps are replicated up) or of the coarsest (finer taps are
/// averaged down over their cell).
enum class Grid { coarsest, finest };

/// How the F concatenated tap channels become d embedding dimensions.
enum class ReductionKind {
  none,             ///< d = F
  random,           ///< d channels drawn as CPython's random.seed(seed); random.sample(range(F), d) draws them
  semi_orthogonal,  ///< a random projection with orthonormal columns (arXiv 2105.14737): Q of a Gaussian matrix, whose
                    ///< numbers, row by row, are those of CPython's random.seed(seed); random.gauss(0, 1)
  pca,              ///< the d principal components of largest variance, pooled over positions
};

/// True for reductions that multiply with a matrix, Model::projection().
[[nodiscard]] constexpr bool is_projection(ReductionKind kind) {
  return kind == ReductionKind::semi_orthogonal || kind == ReductionKind::pca;
}

/// How a model's embedding came out of the taps' channels.
struct Reduction {
  ReductionKind kind = ReductionKind::none;
  std::uint64_t seed = 1024;
  std::vector<int> channels;  ///< the embedding's channels out of F, in embedding order; empty for projections

  friend bool operator==(const Reduction&, const Reduction&) = default;
};

/// How the augmented copies of a frame differ from it.
enum class AugmentKind {
  light,   ///< light +-15 %, white balance +-5 %, shift +-1.5 pixels, noise 1 % of the range: a fixed camera's pictures
  rotate,  ///< any angle about the middle, shift +-4 pixels, light +-10 %: parts that lie in any pose on a plain ground
};

/// A frame unlike the others of its fit.
struct OddFrame {
  std::int64_t frame = 0;  ///< of its fit, from 0
  std::string name;        ///< as Fitter::add() was given it: a file, or a time
  bool dropped = false;    ///< it was left out

  friend bool operator==(const OddFrame&, const OddFrame&) = default;
};

/// What a fit noticed about the frames that it was shown.
struct Examination {
  static constexpr std::size_t kListed = 100;

  std::vector<OddFrame> outliers;  ///< frames unlike all others: covers, a passing hand, defects; the first kListed
  std::int64_t dropped = 0;        ///< outliers that were left out
  std::int64_t kept = 0;           ///< outliers that were kept, as separate images are unless the fit is told otherwise
  std::int64_t repeats = 0;        ///< frames of a stream left out because they show an earlier passage again
  bool inconsistent = false;       ///< more than 30 % of a passage were unlike the rest: all were kept
  /// Of a fit with turned copies: what they add to the mean log-likelihood, per dimension, of frames left out with all
  /// that is like them. Above 0 they help; below, the parts do not lie at any angle.
  std::optional<double> copies_gain = {};

  friend bool operator==(const Examination&, const Examination&) = default;
};

/// Everything a model records apart from its tensors.
struct ModelInfo {
  std::string backbone;        ///< name of its description
  std::string weights_sha256;  ///< of the backbone's weights
  std::vector<TapInfo> taps;   ///< those in use
  Grid grid = Grid::coarsest;
  Reduction reduction;
  Geometry geometry;
  Size positions;               ///< patch grid; P = width * height
  int dimensions = 0;           ///< d
  double epsilon = 0;           ///< absolute, as added to the diagonal (equation 1)
  double relative_epsilon = 0;  ///< the fraction of the mean variance it came from; 0: given as absolute
  double prior = 0;             ///< nu: frames that the covariance pooled over positions weighs as; 0: the paper's
  int search_radius = 0;        ///< positions; 0 is the paper's
  int augment = 0;              ///< augmented copies of each frame in the statistics
  AugmentKind augment_kind = AugmentKind::light;
  int sample_bits = 0;  ///< range in use of 16-bit pictures, as 8-bit ones were made of them: value >> (sample_bits -
                        ///< 8); 0: the fit had none, or its version did not record it and took 16
  std::int64_t frames = 0;  ///< N
  Calibration calibration;
  Examination examination;
  std::vector<std::string> sources;          ///< ids of the models that this one was continued or merged from
  std::optional<SceneReference> scene = {};  ///< absent where the fit was of a version that did not record it

  friend bool operator==(const ModelInfo&, const ModelInfo&) = default;
};

/// A fitted PaDiM model: one Gaussian per patch position, ready to score. Immutable; copies share their memory; safe to
/// use from several threads.
class PADIM_API Model {
 public:
  /// Reads what detection needs into memory, once per process for models with the same content, and verifies the
  /// checksum of the whole file, which may then be overwritten or deleted. What a fit needs to go on is read from the
  /// file, which stays open, when it is asked for. Throws not_found, cannot_read, or bad_format with the cause:
  /// foreign, truncated, corrupted, newer version, oversized header.
  [[nodiscard]] static Model load(const std::filesystem::path& file);

  /// Writes to a temporary file beside `file`, flushes it to the disk and renames: a failure or a kill leaves the old
  /// file whole. Where `file` is a symbolic link, what it leads to is replaced. wanted: asked when all is written and
  /// only the name is missing; where it says no, the old file stays. Throws cannot_write, also for a name that leads to
  /// anything but a regular or a new file, and cancelled; and, as everything that reads what a fit needs to go on,
  /// cannot_read where the file that this model was loaded from was written over meanwhile.
  void save(const std::filesystem::path& file, const std::function<bool()>& wanted = {}) const;

  [[nodiscard]] const ModelInfo& info() const;

  /// Mean embedding per position, [P, d].
  [[nodiscard]] std::span<const float> mean() const;

  /// Inverse Cholesky factor per position, IEEE half precision, packed lower triangle [P, d(d+1)/2] in panels of 16
  /// rows (docs/model-format.md).
  [[nodiscard]] std::span<const std::uint16_t> whitener() const;

  /// Co-moment per position of all frames and copies, packed lower triangle by rows [P, d(d+1)/2]; empty where the
  /// model was stripped. Throws cannot_read, see save().
  [[nodiscard]] std::span<const float> comoment() const;

  /// Projection R [F, d] with embedding x = R^T f; empty unless is_projection(info().reduction.kind).
  [[nodiscard]] std::span<const float> projection() const;

  /// True where the model carries the calibration segments, so that the fit can go on, be merged or learn more.
  [[nodiscard]] bool resumable() const;

  /// The same model without what only a fit that goes on needs: a third to a fifth of the size, the same scores.
  [[nodiscard]] Model stripped() const;

  /// The same model with another threshold, which a person has chosen: the calibration's rule becomes "chosen", all
  /// else stays and is shared, the id included. A fit that goes on, a merge and what is learned calibrate anew, for the
  /// rate that the fit wanted. threshold: raw score > 0, finite; throws invalid_argument for others.
  [[nodiscard]] Model with_threshold(double threshold) const;

  /// First 12 hex digits of the SHA-256 over the tensors: names the model in metadata.
  [[nodiscard]] const std::string& id() const;

 private:
  friend struct ModelTensors;  // how libpadim itself makes models and looks into them
  struct PADIM_LOCAL Impl;
  PADIM_LOCAL explicit Model(std::shared_ptr<const Impl> impl);

  std::shared_ptr<const Impl> impl_;
};

/// A few sentences for people: what the model is, what it was fitted on and how its threshold came about.
[[nodiscard]] PADIM_API std::string describe(const Model& model);

/// The same as one JSON object.
[[nodiscard]] PADIM_API std::string to_json(const Model& model);

[[nodiscard]] PADIM_API std::string to_string(Grid grid);
[[nodiscard]] PADIM_API Grid parse_grid(const std::string& name);  ///< throws invalid_argument
[[nodiscard]] PADIM_API std::string to_string(ReductionKind kind);
[[nodiscard]] PADIM_API ReductionKind parse_reduction(const std::string& name);  ///< throws invalid_argument
[[nodiscard]] PADIM_API std::string to_string(AugmentKind kind);
[[nodiscard]] PADIM_API AugmentKind parse_augment_kind(const std::string& name);  ///< throws invalid_argument

}  // namespace padim
