#pragma once

#include <memory>

#include "frametimes.h"
#include "padim/fitter.h"
#include "padimmessages.h"
#include "padimsettings.h"
#include "published.h"

namespace padim::gst {

/// One fit of the element: from its first frame to the saved model. Streaming thread only.
class FitSession {
 public:
  /// Throws invalid_argument and cannot_write for settings with which the fit could not end well. element and published
  /// must outlive the session.
  FitSession(GstElement* element, const Settings& settings, std::shared_ptr<const Backbone> backbone,
             Published& published);

  /// A session that ends without finish() says that its statistics are dropped.
  ~FitSession();

  void add(const ImageView& frame, const FrameTimes& times);

  /// fit-frames are collected.
  [[nodiscard]] bool complete() const { return wanted_ > 0 && frames_ >= wanted_; }
  [[nodiscard]] const std::shared_ptr<const Backbone>& backbone() const { return backbone_; }

  /// Computes the model, publishes it, saves it if there is a model-file, and posts padim-fitted. Published before it
  /// is saved: where saving fails, the save-model signal can still put it elsewhere. Throws numeric for too few frames,
  /// cannot_write.
  Model finish();

 private:
  Model compute();

  GstElement* element_;
  Published& published_;
  std::string model_file_;
  std::uint64_t wanted_;
  std::shared_ptr<const Backbone> backbone_;
  Fitter fitter_;
  FitProgress progress_;
  std::uint64_t frames_ = 0;
  FrameTimes last_;
  bool finished_ = false;
};

}  // namespace padim::gst
