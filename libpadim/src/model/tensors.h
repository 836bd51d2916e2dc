#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <utility>

#include "padim/model.h"
#include "statistics/segments.h"

namespace padim {

/// A projection's matrix R [F, d], empty where channels are picked, and what keeps it alive.
struct Projection {
  std::span<const float> matrix;
  std::shared_ptr<const void> owner;
};

/// What a fit needs to go on: at hand after a fit; of a loaded model it stays in the file until somebody asks. May be
/// used from several threads.
class KeptSegments {
 public:
  using Reader = std::function<std::shared_ptr<const Segments>()>;

  explicit KeptSegments(std::shared_ptr<const Segments> segments) : segments_(std::move(segments)) {}
  explicit KeptSegments(Reader reader) : reader_(std::move(reader)) {}

  /// The same object each time, which lives as long as this one. Throws what the reader throws.
  [[nodiscard]] const std::shared_ptr<const Segments>& get() const;

 private:
  mutable std::mutex mutex_;  // guards segments_ until it is set, for good
  mutable std::shared_ptr<const Segments> segments_;
  Reader reader_;
};

/// The arrays of a model and whatever keeps them alive, memory of this process in any case.
struct ModelTensors {
  std::span<const float> mean;              ///< [P, d]
  std::span<const std::uint16_t> whitener;  ///< [P, d(d+1)/2]; kTrianglePadding readable elements follow
  std::shared_ptr<const void> owner;        ///< of mean and whitener
  Projection projection;
  std::shared_ptr<const KeptSegments> segments;  ///< null in a stripped model

  [[nodiscard]] static const ModelTensors& of(const Model& model);

  /// The model that `info` and `tensors` describe.
  [[nodiscard]] static Model make_model(ModelInfo info, std::shared_ptr<const ModelTensors> tensors);

  /// The same model, with the same id, and another description of the same tensors.
  [[nodiscard]] static Model with_info(const Model& model, ModelInfo info);
};

/// Places for the statistics of the fit that `info` describes, in `allowed` bytes: one, and no store, where it wants no
/// calibration.
[[nodiscard]] Segments::Limits statistics_limits(const ModelInfo& info, std::int64_t allowed);

}  // namespace padim
