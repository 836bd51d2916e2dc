#pragma once

#include <memory>
#include <optional>
#include <stop_token>

#include "gst-common/frametimes.h"
#include "padim/error.h"
#include "padim/fitter.h"
#include "padimmessages.h"
#include "padimsettings.h"
#include "shared.h"

namespace padim::gst {

/// Throws invalid_argument and cannot_write for a target to which a fit of this mode could not be saved: a fit may take
/// hours, so this is said before its start.
void check_target(const ModelFile& target, Mode mode);

/// Where the model of a fit lies that was stopped before its end.
[[nodiscard]] std::string unfinished(const std::string& model_file);

/// One fit of the element: from its first frame to the saved model. One thread at a time: the streaming thread while
/// frames come, that which calls finish() afterwards.
class FitSession {
 public:
  /// Throws what fit_options and Fitter throw. element and shared must outlive the session.
  FitSession(GstElement* element, const FitSetup& setup, std::shared_ptr<const Backbone> backbone, Shared& shared);

  /// A session that ends before announce() says that its statistics are dropped.
  ~FitSession();

  /// Frames of another shape than the first one's are passed over, with a warning for each shape: what was collected is
  /// worth more than the rest of a stream that has changed.
  void add(const ImageView& frame, const FrameTimes& times);

  /// fit-frames are collected.
  [[nodiscard]] bool complete() const { return wanted_ > 0 && frames_ >= wanted_; }

  /// "padim-finishing", for frames that pass while finish() runs.
  [[nodiscard]] GstMessage* new_finishing_message() const;

  /// Computes the model, publishes it and saves it if it has a target. Published before it is saved: where saving
  /// fails, the save-model signal can still put it elsewhere. Throws numeric for too few frames, cannot_write,
  /// cancelled.
  Model finish(const std::stop_token& cancelled);

  /// After finish(): posts padim-fitted.
  void announce();

  /// The element stops before the end of the fit: saves a model of what was collected beside the target, under
  /// unfinished(). Posts a warning that says so, or that it is lost, and why.
  void put_aside() noexcept;

 private:
  void pass_over(Size size, const Error& error);
  Model compute(const std::stop_token& cancelled);
  void save_unfinished();

  GstElement* element_;
  Shared& shared_;
  ModelFile target_;
  std::uint64_t wanted_;   ///< frames; 0: until it is told to finish
  std::uint64_t to_skip_;  ///< frames that pass unseen before
  Fitter fitter_;
  FitProgress progress_;
  std::uint64_t frames_ = 0;
  std::uint64_t passed_over_ = 0;  ///< frames of another shape
  Size odd_size_;                  ///< that was warned of last
  FrameTimes last_;
  std::optional<Model> model_;
  bool over_ = false;  ///< what became of the fit has been said
};

}  // namespace padim::gst
