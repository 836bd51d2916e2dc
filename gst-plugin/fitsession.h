#pragma once

#include <memory>
#include <optional>
#include <stop_token>

#include "frametimes.h"
#include "padim/fitter.h"
#include "padimmessages.h"
#include "padimsettings.h"
#include "shared.h"

namespace padim::gst {

/// One fit of the element: from its first frame to the saved model. One thread at a time: the streaming thread while
/// frames come, that which calls finish() afterwards.
class FitSession {
 public:
  /// Throws invalid_argument and cannot_write for settings with which the fit could not end well. element and shared
  /// must outlive the session.
  FitSession(GstElement* element, const Settings& settings, std::shared_ptr<const Backbone> backbone, Shared& shared);

  /// A session that ends before announce() says that its statistics are dropped.
  ~FitSession();

  void add(const ImageView& frame, const FrameTimes& times);

  /// fit-frames are collected.
  [[nodiscard]] bool complete() const { return settings_.fit_frames > 0 && frames_ >= settings_.fit_frames; }

  /// "padim-finishing", for frames that pass while finish() runs.
  [[nodiscard]] GstMessage* new_finishing_message() const;

  /// Computes the model, publishes it and saves it if there is a model-file. Published before it is saved: where saving
  /// fails, the save-model signal can still put it elsewhere. Throws numeric for too few frames, cannot_write,
  /// cancelled.
  Model finish(const std::stop_token& cancelled);

  /// After finish(): posts padim-fitted.
  void announce();

 private:
  Model compute(const std::stop_token& cancelled);

  GstElement* element_;
  Shared& shared_;
  Settings settings_;
  Fitter fitter_;
  FitProgress progress_;
  std::uint64_t frames_ = 0;
  FrameTimes last_;
  std::optional<Model> model_;
  bool over_ = false;  ///< what became of the fit has been said
};

}  // namespace padim::gst
