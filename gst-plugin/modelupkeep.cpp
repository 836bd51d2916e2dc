#include "modelupkeep.h"

#include "guard.h"
#include "padim/error.h"
#include "padimmessages.h"

namespace padim::gst {

bool ModelUpkeep::prepare(const LoadedModel& in_use) {
  if (learner_) return true;
  if (unable_) return false;
  unable_ = !guarded(element_, GST_MESSAGE_WARNING, Activity::learning, false, [&] {
    learner_ = std::make_unique<Learner>(in_use.model(), LearnerOptions{0, threads_});
    return true;
  });
  return !unable_;
}

void ModelUpkeep::learn(const LoadedModel& in_use, std::uint64_t frames) {
  unable_ = false;  // the operator may hear it again
  if (!prepare(in_use)) return;
  learner_->learn(static_cast<std::int64_t>(frames));
}

void ModelUpkeep::observe(const LoadedModel& in_use, const Detection& detection, double half_life) {
  if (!in_stretch() && (half_life == 0 || !prepare(in_use))) return;
  learner_->set_half_life(half_life);
  learner_->observe(detection, in_use.detector->embedding());
}

void ModelUpkeep::end_stretch() {
  if (in_stretch()) learner_->end_stretch();
}

void ModelUpkeep::adopt(const ModelProvider::Change& change, const Model& after, const FrameTimes& times) {
  learner_->adopt(after);
  gst_element_post_message(element_, new_learned_message(element_, times, *change.before, after,
                                                         static_cast<std::uint64_t>(change.frames_shown)));
}

void ModelUpkeep::reset() {
  learner_.reset();
  unable_ = false;
}

}  // namespace padim::gst
