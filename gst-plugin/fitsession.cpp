#include "fitsession.h"

#include <unistd.h>

#include <filesystem>
#include <utility>

#include "padim/error.h"

namespace padim::gst {
namespace {

// A fit may take hours: what would make its end fail is said before its start.
void check_target(const Settings& settings) {
  if (settings.model_file.empty()) {
    if (settings.live.mode != Mode::fit) return;
    throw Error(ErrorCode::invalid_argument,
                "mode=fit has no model-file to save to: set model-file, or mode=fit-then-detect to keep the model in "
                "memory");
  }
  auto folder = std::filesystem::path(settings.model_file).parent_path();
  if (folder.empty()) folder = ".";
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder, ignored)) {
    throw Error(ErrorCode::cannot_write, "cannot save model '" + settings.model_file + "': the folder '" +
                                             folder.string() + "' does not exist; create it or change model-file");
  }
  if (access(folder.c_str(), W_OK) != 0) {
    throw Error(ErrorCode::cannot_write, "cannot save model '" + settings.model_file + "': the folder '" +
                                             folder.string() + "' is not writable; change its rights or model-file");
  }
}

const Settings& checked(const Settings& settings) {
  check_target(settings);
  return settings;
}

}  // namespace

FitSession::FitSession(GstElement* element, const Settings& settings, std::shared_ptr<const Backbone> backbone,
                       Shared& shared)
    : element_(element),
      shared_(shared),
      settings_(checked(settings)),
      fitter_(std::move(backbone), fit_options(settings)),
      progress_(element, settings.fit_frames) {}

FitSession::~FitSession() {
  if (!over_) progress_.dropped(frames_);
}

void FitSession::add(const ImageView& frame, const FrameTimes& times) {
  fitter_.add(frame);
  ++frames_;
  last_ = times;
  progress_.collected(frames_);
}

GstMessage* FitSession::new_finishing_message() const { return gst::new_finishing_message(element_, last_, frames_); }

Model FitSession::compute(const std::stop_token& cancelled) {
  if (frames_ == 0) {
    throw Error(ErrorCode::numeric,
                "the fit ended without a single frame: check that video reaches the element before the stream ends");
  }
  return fitter_.finish([&](double done) {
    progress_.computing(done);
    return !cancelled.stop_requested();
  });
}

Model FitSession::finish(const std::stop_token& cancelled) {
  try {
    model_ = compute(cancelled);
    shared_.published.set_model(*model_);
    shared_.requests.open(Request::learn);
    if (!settings_.model_file.empty()) save(*model_, settings_.model_file, settings_);
    return *model_;
  } catch (const Error& error) {
    over_ = !cancelled.stop_requested();
    if (over_) progress_.failed(error.what());
    throw;
  }
}

void FitSession::announce() {
  const std::string& model_file = settings_.model_file;
  over_ = true;
  progress_.completed("Fitted " + std::to_string(frames_) + " frames" +
                      (model_file.empty() ? "" : ", saved to " + model_file));
  gst_element_post_message(element_, new_fitted_message(element_, last_, *model_, {model_file, frames_}));
}

}  // namespace padim::gst
