#pragma once

#include <memory>
#include <optional>

#include "backgroundtask.h"
#include "fitsession.h"
#include "frametimes.h"
#include "loadedmodel.h"
#include "padim/geometry.h"
#include "padim/image_view.h"
#include "padim/learner.h"
#include "padimsettings.h"
#include "shared.h"

namespace padim::gst {

/// Where the models come from while frames flow: a fit, whose end is computed in the background, or the model file.
/// Streaming thread only. Of a live source no frame waits; any other source can, so that each frame after the fit is
/// scored: what starts a job waits for its end then, unless shared.interruption wants the thread back.
class ModelProvider {
 public:
  /// element and shared must outlive the provider.
  ModelProvider(GstElement* element, FitSetup fit, DetectSetup detect, Shared& shared);

  /// A fit wants frames: add().
  [[nodiscard]] bool collecting() const { return fit_ != nullptr; }

  /// What goes on in the background.
  enum class Job {
    none,
    finishing,   ///< the fit's model is computed and saved
    loading,     ///< the model file is read
    reloading,   ///< likewise, while another model is in use
    refreshing,  ///< the model in use has learned something
  };
  [[nodiscard]] Job job() const { return job_; }

  /// Starts a fit for `mode`, unless one is going on. Throws what a fit that could not end well would end with.
  void start_fit(Mode mode);

  /// Folds a frame into the fit, and finishes the fit at fit-frames.
  void add(const ImageView& frame, const FrameTimes& times);

  /// Finishes the fit: its model will come out of take_new_model().
  void finish_fit();

  /// Drops the fit, whether collecting or finishing.
  void drop_fit();

  /// Reads the model file in the background.
  void load();

  /// Replaces the model in use by that of the model file, in the background; posts a warning where that does not work.
  void reload();

  /// Replaces the model in use by what `job` makes of it, in the background; posts a warning where that does not work.
  /// Nothing else may be going on.
  void refresh(ModelJob job, std::shared_ptr<const Backbone> backbone);

  /// To be asked before each frame: the model to use from now on, once; nothing most of the time. frame: its size,
  /// {0,0} where unknown. Throws what made a fit or loading fail.
  [[nodiscard]] std::optional<LoadedModel> take_new_model(Size frame);

  /// Finishes a fit and waits for its model to be saved, or for a refresh, unless shared.interruption wants the thread
  /// back.
  void end_of_stream();

  /// Before the end of this object: waits for a finished fit's model to be saved, throws what made that fail. What
  /// would not outlast this object is cancelled.
  void stop();

 private:
  void start_job(Job job, BackgroundTask<LoadedModel>::Work work,
                 BackgroundTask<LoadedModel>::Announcement announce = {});
  void wait();

  GstElement* element_;
  FitSetup fit_setup_;
  DetectSetup detect_setup_;
  Shared& shared_;
  std::shared_ptr<const Backbone> backbone_;  ///< of the latest fit
  std::unique_ptr<FitSession> fit_;           ///< while collecting
  Job job_ = Job::none;
  BackgroundTask<LoadedModel> task_;
};

}  // namespace padim::gst
