#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "backgroundtask.h"
#include "fitsession.h"
#include "gst-common/frametimes.h"
#include "loadedmodel.h"
#include "padim/geometry.h"
#include "padim/image_view.h"
#include "padim/learner.h"
#include "padimsettings.h"
#include "shared.h"

namespace padim::gst {

/// Owns the model in use, and gets the next one while frames flow: from a fit, whose network is opened and whose end is
/// computed in the background, or from the model file. Streaming thread only. Of a live source no frame waits; any
/// other source can, so that each frame after the fit is scored: what starts a job waits for its end then, unless
/// shared.interruption wants the thread back.
class ModelProvider {
 public:
  /// element and shared must outlive the provider.
  ModelProvider(GstElement* element, FitSetup fit, DetectSetup detect, Shared& shared);

  /// What goes on in the background with the model.
  enum class Job {
    none,
    finishing,   ///< the fit's model is computed and saved
    loading,     ///< the model file is read
    reloading,   ///< likewise, while another model is in use
    refreshing,  ///< the model in use has learned something
  };
  [[nodiscard]] Job job() const { return job_; }

  /// Null where there is none yet.
  [[nodiscard]] const LoadedModel* in_use() const { return in_use_ ? &*in_use_ : nullptr; }

  /// Gets what the first frame needs, and returns when it is there: the model of mode detect, and of fit-then-detect
  /// where it exists and is not to be fitted again; else the network of a fit.
  void prepare(Mode mode);

  /// Starts a fit for `mode`, unless one is going on: collecting() as soon as its network is open. Throws what a fit
  /// that could not end well would end with.
  void start_fit(Mode mode);

  /// The network of a fit is being opened.
  [[nodiscard]] bool opening_fit() const { return fit_wanted_; }

  /// A fit whose network is still being opened is not wanted any more; one that collects goes on.
  void forget_unopened_fit() { fit_wanted_ = false; }

  /// A fit wants frames: add().
  [[nodiscard]] bool collecting() const { return fit_ != nullptr; }

  /// Folds a frame into the fit, and finishes the fit at fit-frames.
  void add(const ImageView& frame, const FrameTimes& times);

  /// Finishes the fit: its model will come out of take_new_model().
  void finish_fit();

  /// Drops the fit and what is being learned, whether collected or computed.
  void drop();

  /// Reads the model file in the background.
  void load();

  /// Replaces the model in use by that of the model file, in the background; posts a warning where that does not work.
  void reload();

  /// Replaces the model in use by what it has learned, in the background; posts a warning where that does not work.
  /// Nothing else may be going on.
  void refresh(Refresh refresh);

  /// A model that came into use.
  struct Change {
    Job by;
    std::optional<Model> before;             ///< that was in use
    std::int64_t frames_shown;               ///< by the operator, since then
    std::optional<GstClockTime> frame_time;  ///< of a frame, where it is not the same as before
  };

  /// To be asked before each frame: the change of the model in use, once; nothing most of the time. A fit begins here
  /// whose network has been opened. frame: its size, {0,0} where unknown. Throws what made a fit or loading fail.
  [[nodiscard]] std::optional<Change> take_new_model(Size frame);

  /// Finishes a fit and waits for its model to be saved, or for a refresh, unless shared.interruption wants the thread
  /// back.
  void end_of_stream();

  /// Before the end of this object: waits for a finished fit's model to be saved, throws what made that fail. What
  /// would not outlast this object is cancelled.
  void stop();

 private:
  struct Result {
    NewModel model;
    std::int64_t frames_shown = 0;
  };
  using OpenBackbone = std::shared_ptr<const Backbone>;

  [[nodiscard]] bool has_model_for(Mode mode) const;
  [[nodiscard]] std::optional<Model> model_in_use() const;
  [[nodiscard]] OpenBackbone open_already(const std::string& name) const;
  void open_backbone(const std::string& name);
  void begin_fit();
  void take_backbone();
  void start_job(Job job, BackgroundTask<Result>::Work work, BackgroundTask<Result>::Announcement announce = {});
  Change use(Result result);
  void log_model() const;
  template <class Value>
  void wait(BackgroundTask<Value>& task) {
    static_cast<void>(task.wait(shared_.interruption.token()));
  }

  GstElement* element_;
  FitSetup fit_setup_;
  DetectSetup detect_setup_;
  Shared& shared_;
  std::optional<LoadedModel> in_use_;
  OpenBackbone backbone_;            ///< of the latest fit
  std::unique_ptr<FitSession> fit_;  ///< while collecting
  bool opening_ = false;             ///< backbone_, in the background
  bool fit_wanted_ = false;          ///< it begins when opening_ ends
  Job job_ = Job::none;
  BackgroundTask<OpenBackbone> opening_task_;
  BackgroundTask<Result> task_;
};

}  // namespace padim::gst
