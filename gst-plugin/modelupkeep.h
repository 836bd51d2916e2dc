#pragma once

#include <cstdint>
#include <memory>

#include "gst-common/frametimes.h"
#include "loadedmodel.h"
#include "modelprovider.h"
#include "padim/learner.h"

namespace padim::gst {

/// Keeps the model in use up to date while the element detects: by what the operator shows, and by slow drift. What is
/// known of that, the learner knows; there is one only where something is to be learned, as it keeps the model's
/// statistics in memory. Streaming thread only.
class ModelUpkeep {
 public:
  /// element must outlive this object; threads: of the jobs.
  ModelUpkeep(GstElement* element, int threads) : element_(element), threads_(threads) {}

  /// The next `frames` scored frames are normal. Posts a warning where the model cannot learn.
  void learn(const LoadedModel& in_use, std::uint64_t frames);

  /// A frame of the operator's is next: it must be scored, and is no anomaly whatever it scores.
  [[nodiscard]] bool in_stretch() const { return learner_ && learner_->learning() > 0; }

  /// Sees a frame that was just scored. half_life: frames, 0: no adaptation.
  void observe(const LoadedModel& in_use, const Detection& detection, double half_life);

  /// Ends a stretch before its time, with the frames seen so far.
  void end_stretch();

  /// A new model is worth computing: take_refresh().
  [[nodiscard]] bool due() const { return learner_ && learner_->due(); }
  [[nodiscard]] Refresh take_refresh() { return learner_->take_refresh(); }

  /// The refresh's model, `after`, is in use from now on; times: of the latest frame. Posts padim-learned or
  /// padim-adapted.
  void adopt(const ModelProvider::Change& change, const Model& after, const FrameTimes& times);

  /// Another model is in use: nothing of the old one is learned any more.
  void reset();

 private:
  bool prepare(const LoadedModel& in_use);

  GstElement* element_;
  int threads_;
  std::unique_ptr<Learner> learner_;
  bool unable_ = false;  ///< the model cannot learn, which was said
};

}  // namespace padim::gst
