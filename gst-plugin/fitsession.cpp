#include "fitsession.h"

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <utility>

#include "padim/error.h"

namespace padim::gst {
namespace {

// Where in the stream, for whoever looks for the frame.
std::string time_text(const FrameTimes& times) {
  if (!GST_CLOCK_TIME_IS_VALID(times.stream_time)) return "frame " + std::to_string(times.frame);
  char text[40];
  std::snprintf(text, sizeof text, "%" GST_TIME_FORMAT, GST_TIME_ARGS(times.stream_time));
  return text;
}

}  // namespace

void check_target(const ModelFile& target, Mode mode) {
  if (target.path.empty()) {
    if (mode != Mode::fit) return;
    throw Error(ErrorCode::invalid_argument,
                "mode=fit has no model-file to save to: set model-file, or mode=fit-then-detect to keep the model in "
                "memory");
  }
  auto folder = std::filesystem::path(target.path).parent_path();
  if (folder.empty()) folder = ".";
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder, ignored)) {
    throw Error(ErrorCode::cannot_write, "cannot save model '" + target.path + "': the folder '" + folder.string() +
                                             "' does not exist; create it or change model-file");
  }
  if (access(folder.c_str(), W_OK) != 0) {
    throw Error(ErrorCode::cannot_write, "cannot save model '" + target.path + "': the folder '" + folder.string() +
                                             "' is not writable; change its rights or model-file");
  }
}

FitSession::FitSession(GstElement* element, const FitSetup& setup, std::shared_ptr<const Backbone> backbone,
                       Shared& shared)
    : element_(element),
      shared_(shared),
      target_(setup.target),
      wanted_(setup.frames),
      to_skip_(setup.skipped),
      fitter_(std::move(backbone), fit_options(setup)),
      progress_(element, setup.frames) {}

FitSession::~FitSession() {
  if (!over_) progress_.dropped(frames_);
}

void FitSession::add(const ImageView& frame, const FrameTimes& times) {
  if (to_skip_ > 0) {
    --to_skip_;
    return;
  }
  fitter_.add(frame, time_text(times));
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
    if (cancelled.stop_requested()) throw Error(ErrorCode::cancelled, "the fit was dropped");
    shared_.published.set_model(*model_);
    shared_.requests.open(Request::learn);
    if (!target_.path.empty()) save(*model_, target_);
    return *model_;
  } catch (const Error& error) {
    over_ = !cancelled.stop_requested();
    if (over_) progress_.failed(error.what());
    throw;
  }
}

void FitSession::announce() {
  over_ = true;
  progress_.completed("Fitted " + std::to_string(frames_) + " frames" +
                      (target_.path.empty() ? "" : ", saved to " + target_.path));
  gst_element_post_message(element_, new_fitted_message(element_, last_, *model_, {target_.path, frames_}));
}

}  // namespace padim::gst
